//! Definitions of other people, each in the template that it is a part of: most name resources of that template and are none by
//! themselves. The files are taken as they are; what is written here is what stands around them, and what comes of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::process::{printed, tollgate};
use super::proxy::folder;

/// A definition.
pub struct Definition {
    /// Its folder.
    pub name: &'static str,
    kind: Kind,
    /// The template's other resources, by logical id.
    resources: &'static [(&'static str, &'static str)],
    /// What is filled in before the template is deployed: plain text is no function of CloudFormation.
    filled: &'static [(&'static str, &'static str)],
    /// What `tollgate import` is told.
    told: &'static [&'static str],
    /// What comes of it.
    pub outcome: Outcome,
}

/// Which resource has it as its `DefinitionBody`.
#[derive(PartialEq, Eq)]
enum Kind {
    /// `AWS::Serverless::Api`, stage `prod`
    Rest,
    /// `AWS::Serverless::HttpApi`, stage `$default`
    Http,
}

/// What comes of a definition.
pub enum Outcome {
    /// A good answer.
    Served {
        /// Whom the integration asks.
        host: &'static str,
        /// Method, target and body of a request.
        request: [&'static str; 3],
        /// What arrives there: the request line without its version, and a part of the head or body.
        arrives: [&'static str; 2],
    },
    /// All of its errors.
    Refused(&'static [&'static str]),
}

use Kind::{Http, Rest};
use Outcome::{Refused, Served};

const ROLE: &str = "AWS::IAM::Role";
const FUNCTION: &str = "AWS::Lambda::Function";
const LAMBDA: &str = "lambda.us-east-1.amazonaws.com";
const LAMBDA_URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                          arn:aws:lambda:us-east-1:123456789012:function:customers/invocations";
const PSEUDO: &[(&str, &str)] = &[("${AWS::Region}", "us-east-1"), ("${AWS::AccountId}", "123456789012")];

/// Every definition that stands beside the repository.
pub const DEFINITIONS: [Definition; 12] = [
    Definition {
        name: "apigw-ddb-openapi-crud",
        kind: Rest,
        resources: &[("CrudRole", ROLE), ("CrudDDB", "AWS::DynamoDB::Table")],
        filled: &[],
        told: &["--value", "CrudDDB=crud"],
        outcome: Served {
            host: "dynamodb.us-east-1.amazonaws.com",
            request: ["GET", "/prod/7", ""],
            arrives: ["POST /", "/us-east-1/dynamodb/aws4_request"],
        },
    },
    Definition {
        name: "apigw-http-api-eventbridge",
        kind: Http,
        resources: &[("MyHttpApiRole", ROLE)],
        filled: &[],
        told: &[],
        outcome: Served {
            host: "events.us-east-1.amazonaws.com",
            request: ["POST", "/", r#"{"Detail": {"a": 1}}"#],
            arrives: ["POST /", "/us-east-1/events/aws4_request"],
        },
    },
    Definition {
        name: "apigw-http-api-eventbridge-lambda-sls",
        kind: Http,
        resources: &[("MyHttpApiRole", ROLE)],
        filled: &[],
        told: &[],
        outcome: Served {
            host: "events.us-east-1.amazonaws.com",
            request: ["POST", "/", r#"{"Detail": {"a": 1}}"#],
            arrives: ["POST /", "MyDetailType"],
        },
    },
    Definition {
        name: "apigw-kinesis-lambda-ddb",
        kind: Rest,
        resources: &[("ApiGatewayRole", ROLE)],
        filled: &[],
        told: &[],
        outcome: Served {
            host: "kinesis.us-east-1.amazonaws.com",
            request: ["POST", "/prod/submit/clicks/e1", r#"{"a": 1}"#],
            arrives: ["POST /", r#""PartitionKey": "e1""#],
        },
    },
    Definition {
        name: "apigw-lambda-bedrock-sam-node",
        kind: Rest,
        resources: &[("StreamingResponseFunction", FUNCTION)],
        filled: &[],
        told: &[],
        outcome: Refused(&[
            "`arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/arn:aws:lambda:us-east-1:000000000000:function:\
             StreamingResponseFunction/response-streaming-invocations` is no function",
            "not served: `responseTransferMode: STREAM` of a function",
        ]),
    },
    Definition {
        name: "apigw-mappingtemplate-lambda",
        kind: Rest,
        resources: &[("APIFunction", FUNCTION)],
        filled: &[],
        told: &["--value", "APIFunction.Arn=arn:aws:lambda:us-east-1:123456789012:function:api"],
        outcome: Served {
            host: LAMBDA,
            request: ["PUT", "/prod/", r#"{"a": 1}"#],
            arrives: [
                "POST /2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:api/invocations",
                "/us-east-1/lambda/aws4_request",
            ],
        },
    },
    Definition {
        name: "apigw-openapi-lambda-dynamodb-xray-terraform_infra",
        kind: Rest,
        resources: &[],
        // Terraform's `templatefile` does.
        filled: &[("${openapi_demo_lambda_uri}", LAMBDA_URI)],
        told: &[],
        outcome: Served {
            host: LAMBDA,
            request: ["GET", "/prod/customers/7", ""],
            arrives: [
                "POST /2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:customers/invocations",
                r#""resource":"/customers/{id}""#,
            ],
        },
    },
    Definition {
        name: "apigw-rest-stepfunctions-express-sync-bedrock-sam",
        kind: Rest,
        resources: &[("RestApiRole", ROLE)],
        filled: PSEUDO,
        told: &[],
        outcome: Served {
            host: "states.us-east-1.amazonaws.com",
            request: ["POST", "/prod/", r#"{"a": 1}"#],
            arrives: ["POST /", "arn:aws:states:us-east-1:123456789012:stateMachine:StateMachineExpressSync"],
        },
    },
    Definition {
        name: "apigw-rest-vpclink-pvt-alb-sam",
        kind: Rest,
        resources: &[("VpcLink", "AWS::ApiGatewayV2::VpcLink"), ("PrivateALB", "AWS::ElasticLoadBalancingV2::LoadBalancer")],
        filled: &[],
        told: &["--value", "VpcLink=vpclink1", "--value", "PrivateALB.DNSName=internal.example.com"],
        outcome: Served {
            host: "vpclink1",
            request: ["GET", "/prod/a/b?c=d", ""],
            arrives: ["GET /a/b?c=d", "internal.example.com"],
        },
    },
    Definition {
        name: "apigw-sfn",
        kind: Http,
        resources: &[("HttpApiRole", ROLE), ("StateMachineExpressSync", "AWS::StepFunctions::StateMachine")],
        filled: &[],
        told: &["--value", "StateMachineExpressSync.Arn=arn:aws:states:us-east-1:123456789012:stateMachine:sync"],
        outcome: Served {
            host: "sync-states.us-east-1.amazonaws.com",
            request: ["POST", "/", r#"{"a": 1}"#],
            arrives: ["POST /", "arn:aws:states:us-east-1:123456789012:stateMachine:sync"],
        },
    },
    Definition {
        name: "apigw-sns-sms",
        kind: Rest,
        resources: &[],
        filled: PSEUDO,
        told: &[],
        outcome: Served {
            host: "sns.us-east-1.amazonaws.com",
            request: ["POST", "/prod/", r#"{"PhoneNumber": "+15550100", "Message": "hello"}"#],
            arrives: ["POST /", "Action=Publish&PhoneNumber=%2B15550100&Message=hello"],
        },
    },
    Definition {
        name: "apigw-sqs-lambda",
        kind: Http,
        resources: &[("MySqsQueue", "AWS::SQS::Queue"), ("MyHttpApiRole", ROLE)],
        filled: &[],
        told: &["--value", "MySqsQueue=https://sqs.us-east-1.amazonaws.com/123456789012/jobs"],
        outcome: Served {
            host: "sqs.us-east-1.amazonaws.com",
            request: ["POST", "/submit", r#"{"a": 1}"#],
            arrives: ["POST /123456789012/jobs", "/us-east-1/sqs/aws4_request"],
        },
    },
];

/// The gateway document of each, made by `tollgate import`, or all that it says against it; none where there are no definitions.
pub fn imported() -> &'static [(&'static Definition, Result<PathBuf, String>)] {
    static IMPORTED: OnceLock<Vec<(&'static Definition, Result<PathBuf, String>)>> = OnceLock::new();
    static ALL: [Definition; 12] = DEFINITIONS;
    IMPORTED.get_or_init(|| {
        let Some(beside) = super::drivers::beside::beside("definitions") else { return Vec::new() };
        let names = |entries: std::fs::ReadDir| -> Vec<String> {
            entries.map(|entry| entry.expect("a folder can be read").file_name().into_string().expect("names are UTF-8")).collect()
        };
        let known: BTreeSet<String> = ALL.iter().map(|definition| definition.name.to_owned()).collect();
        let there: BTreeSet<String> = names(std::fs::read_dir(&beside).expect("it is a folder")).into_iter().collect();
        assert_eq!(known, there, "the table has every definition");
        let own = folder("definitions");
        let import = |definition: &'static Definition| {
            let file = names(std::fs::read_dir(beside.join(definition.name)).expect("it is a folder"));
            let [file] = file.as_slice() else { panic!("{} has not one file", definition.name) };
            let text = std::fs::read_to_string(beside.join(definition.name).join(file)).expect("it can be read");
            (definition, definition.import(&own, &text))
        };
        ALL.iter().map(import).collect()
    })
}

// === impl Definition ===

impl Definition {
    fn import(&self, folder: &Path, text: &str) -> Result<PathBuf, String> {
        let template = folder.join(format!("{}.template.yaml", self.name));
        std::fs::write(&template, self.template(text)).expect("target/ can be written");
        let document = folder.join(format!("{}.yaml", self.name));
        let paths = [&template, &document].map(|path| path.to_str().expect("paths are UTF-8"));
        let output = tollgate(&[&["import", paths[0], "--output", paths[1]], self.told].concat());
        if output.status.success() { Ok(document) } else { Err(printed(&output)) }
    }

    fn template(&self, text: &str) -> String {
        let (kind, stage) = match self.kind {
            Rest => ("AWS::Serverless::Api", "\n      StageName: prod"),
            Http => ("AWS::Serverless::HttpApi", ""),
        };
        let others: String = self.resources.iter().map(|(id, kind)| format!("  {id}: {{ Type: {kind} }}\n")).collect();
        let text = self.filled.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        let body: String = text.lines().map(|line| format!("        {line}\n")).collect();
        format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n{others}  Api:\n    Type: {kind}\n    Properties:{stage}\n      \
             DefinitionBody:\n{body}"
        )
    }
}
