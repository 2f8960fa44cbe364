//! What every subtype takes, and how its call is written. AWS: "Integration subtype reference".

/// One subtype.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// `SQS-SendMessage`
    pub name: &'static str,
    /// The first label of the host that is called.
    pub host: &'static str,
    /// The service's name in signatures.
    pub service: &'static str,
    /// How its call is written.
    pub form: Form,
    /// What has to be there.
    pub required: &'static [&'static str],
    /// What may be. Beside these, each takes `Region`.
    pub optional: &'static [&'static str],
}

/// How a service's calls are written: the protocols of the services' own models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The action in a header, the parameters members of a JSON object.
    Json,
    /// The same, of one element of the list `Entries`.
    Entries,
    /// The same, the members' names beginning in lower case.
    LowerJson,
    /// A form, posted to a queue. SQS knows JSON, too, and answers that in JSON; clients of HTTP APIs get its XML (measured: the
    /// answer in the patterns of aws-samples).
    Queue,
    /// A path and a query: `GetConfiguration`.
    Configuration,
}

/// What the text of a parameter is for its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A list of texts, in the [`Form::Queue`] one by one under this name.
    List(&'static str),
    /// An object of attributes, in the [`Form::Queue`] one by one under this name.
    Attributes(&'static str),
    /// A time, for a JSON service the seconds since 1970.
    Time,
}

/// The host is `sync-states` for one action alone.
pub static ROWS: [Row; 10] = [
    Row {
        name: "EventBridge-PutEvents",
        host: "events",
        service: "events",
        form: Form::Entries,
        required: &["Detail", "DetailType", "Source"],
        optional: &["Time", "EventBusName", "Resources", "TraceHeader"],
    },
    Row {
        name: "SQS-SendMessage",
        host: "sqs",
        service: "sqs",
        form: Form::Queue,
        required: &["QueueUrl", "MessageBody"],
        optional: &["DelaySeconds", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId", "MessageSystemAttributes"],
    },
    Row {
        name: "SQS-ReceiveMessage",
        host: "sqs",
        service: "sqs",
        form: Form::Queue,
        required: &["QueueUrl"],
        optional: &[
            "AttributeNames",
            "MaxNumberOfMessages",
            "MessageAttributeNames",
            "ReceiveRequestAttemptId",
            "VisibilityTimeout",
            "WaitTimeSeconds",
        ],
    },
    Row {
        name: "SQS-DeleteMessage",
        host: "sqs",
        service: "sqs",
        form: Form::Queue,
        required: &["QueueUrl", "ReceiptHandle"],
        optional: &[],
    },
    Row { name: "SQS-PurgeQueue", host: "sqs", service: "sqs", form: Form::Queue, required: &["QueueUrl"], optional: &[] },
    Row {
        name: "AppConfig-GetConfiguration",
        host: "appconfig",
        service: "appconfig",
        form: Form::Configuration,
        required: &["Application", "Environment", "Configuration", "ClientId"],
        optional: &["ClientConfigurationVersion"],
    },
    Row {
        name: "Kinesis-PutRecord",
        host: "kinesis",
        service: "kinesis",
        form: Form::Json,
        // `Data` is what the service's own API takes, base64: assumed(kinesis-data), seen in requests that AWS answered.
        required: &["StreamName", "Data", "PartitionKey"],
        optional: &["SequenceNumberForOrdering", "ExplicitHashKey"],
    },
    Row {
        name: "StepFunctions-StartExecution",
        host: "states",
        service: "states",
        form: Form::LowerJson,
        required: &["StateMachineArn"],
        optional: &["Name", "Input"],
    },
    Row {
        name: "StepFunctions-StartSyncExecution",
        host: "sync-states",
        service: "states",
        form: Form::LowerJson,
        required: &["StateMachineArn"],
        optional: &["Name", "Input", "TraceHeader"],
    },
    Row {
        name: "StepFunctions-StopExecution",
        host: "states",
        service: "states",
        form: Form::LowerJson,
        required: &["ExecutionArn"],
        optional: &["Cause", "Error"],
    },
];

// === impl Row ===

impl Row {
    /// `SendMessage`
    pub fn action(&self) -> &'static str {
        self.name.split_once('-').map_or("", |(_, action)| action)
    }
}

// === impl Kind ===

impl Kind {
    /// That of a parameter; a name means the same in every subtype.
    pub fn of(parameter: &str) -> Self {
        match parameter {
            "Resources" => Self::List("Resources"),
            "AttributeNames" => Self::List("AttributeName"),
            "MessageAttributeNames" => Self::List("MessageAttributeName"),
            "MessageAttributes" => Self::Attributes("MessageAttribute"),
            "MessageSystemAttributes" => Self::Attributes("MessageSystemAttribute"),
            "Time" => Self::Time,
            _ => Self::Text,
        }
    }
}
