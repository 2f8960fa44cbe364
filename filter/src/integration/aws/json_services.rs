//! The services whose actions are named by a header, and take and answer JSON: the prefix of `X-Amz-Target` and the version of the
//! protocol, as the services' own models name them (botocore: `targetPrefix`, `jsonVersion`). All others take `?Action=NAME`.

/// `(name in the host, prefix, version)`
const JSON_SERVICES: [(&str, &str, &str); 31] = [
    ("acm", "CertificateManager", "1.1"),
    ("application-autoscaling", "AnyScaleFrontendService", "1.1"),
    ("athena", "AmazonAthena", "1.1"),
    ("codebuild", "CodeBuild_20161006", "1.1"),
    ("codepipeline", "CodePipeline_20150709", "1.1"),
    ("cognito-identity", "AWSCognitoIdentityService", "1.1"),
    ("cognito-idp", "AWSCognitoIdentityProviderService", "1.1"),
    ("comprehend", "Comprehend_20171127", "1.1"),
    ("config", "StarlingDoveService", "1.1"),
    ("datapipeline", "DataPipeline", "1.1"),
    ("directconnect", "OvertureService", "1.1"),
    ("dms", "AmazonDMSv20160101", "1.1"),
    ("dynamodb", "DynamoDB_20120810", "1.0"),
    ("ecr", "AmazonEC2ContainerRegistry_V20150921", "1.1"),
    ("ecs", "AmazonEC2ContainerServiceV20141113", "1.1"),
    ("elasticmapreduce", "ElasticMapReduce", "1.1"),
    ("events", "AWSEvents", "1.1"),
    ("firehose", "Firehose_20150804", "1.1"),
    ("forecast", "AmazonForecast", "1.1"),
    ("glue", "AWSGlue", "1.1"),
    ("kinesis", "Kinesis_20131202", "1.1"),
    ("kms", "TrentService", "1.1"),
    ("logs", "Logs_20140328", "1.1"),
    ("personalize", "AmazonPersonalize", "1.1"),
    ("rekognition", "RekognitionService", "1.1"),
    ("sagemaker", "SageMaker", "1.1"),
    ("secretsmanager", "secretsmanager", "1.1"),
    ("ssm", "AmazonSSM", "1.1"),
    ("states", "AWSStepFunctions", "1.0"),
    ("textract", "Textract", "1.1"),
    ("translate", "AWSShineFrontendService_20170701", "1.1"),
];

/// The headers of an action of a service; none where the service takes actions in the query.
pub fn headers(service: &str, action: &str) -> Option<[(&'static str, String); 2]> {
    let (_, prefix, version) = JSON_SERVICES.iter().find(|(name, ..)| *name == service)?;
    Some([("x-amz-target", format!("{prefix}.{action}")), ("content-type", format!("application/x-amz-json-{version}"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_of_a_json_service_is_named_by_a_header() {
        let [target, content_type] = headers("dynamodb", "PutItem").unwrap();
        assert_eq!((target.1.as_str(), content_type.1.as_str()), ("DynamoDB_20120810.PutItem", "application/x-amz-json-1.0"));
        assert_eq!(headers("sns", "Publish"), None);
        assert!(JSON_SERVICES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
