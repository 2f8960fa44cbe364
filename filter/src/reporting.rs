//! What a stage says of how its methods are reported on: detailed metrics and execution logs. AWS: `AWS::ApiGateway::Stage
//! MethodSetting`, `AWS::ApiGatewayV2::Stage RouteSettings`.

use crate::definition::{Node, Protocol};
use crate::problem::Problems;

/// `loggingLevel`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoggingLevel {
    /// Nothing.
    #[default]
    Off,
    /// Requests that failed.
    Error,
    /// All.
    Info,
}

/// How one method is reported on; what is not said is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reporting {
    /// `metricsEnabled`, `detailedMetricsEnabled`: metrics of the method, and not of its stage only.
    pub metrics: Option<bool>,
    /// `loggingLevel`
    pub level: Option<LoggingLevel>,
    /// `dataTraceEnabled`: headers and bodies, too.
    pub data_trace: Option<bool>,
}

const LEVELS: [(&str, LoggingLevel); 3] =
    [("OFF", LoggingLevel::Off), ("ERROR", LoggingLevel::Error), ("INFO", LoggingLevel::Info)];

// === impl Reporting ===

impl Reporting {
    /// Reads the settings of a method or a route.
    pub fn read(node: &Node<'_>, protocol: Protocol, problems: &mut Problems) -> Self {
        let metrics = if protocol == Protocol::Rest { "metricsEnabled" } else { "detailedMetricsEnabled" };
        let mut read = Self {
            metrics: node.get(metrics).and_then(|value| value.boolean(problems)),
            level: node.get("loggingLevel").and_then(|value| value.one_of(&LEVELS, problems)),
            data_trace: node.get("dataTraceEnabled").and_then(|value| value.boolean(problems)),
        };
        if protocol == Protocol::Http {
            // Documented: both are for WebSocket APIs.
            let is_on = [read.level.is_some_and(|level| level > LoggingLevel::Off), read.data_trace == Some(true)];
            for (key, is_on) in ["loggingLevel", "dataTraceEnabled"].into_iter().zip(is_on) {
                if let Some(value) = node.get(key).filter(|_| is_on) {
                    problems.warning(&value.path, "has no effect: HTTP APIs have no execution logs", None);
                }
            }
            (read.level, read.data_trace) = (None, None);
        }
        read
    }

    /// The same, with the settings of all methods where nothing is said of this one.
    pub fn or(self, all: Self) -> Self {
        Self {
            metrics: self.metrics.or(all.metrics),
            level: self.level.or(all.level),
            data_trace: self.data_trace.or(all.data_trace),
        }
    }
}

/// Whether a log may hold a character of a value as it is. Others end a line for whoever reads it, steer a terminal, or turn the
/// text around so that it shows what it does not say.
pub fn is_printable(c: char) -> bool {
    let turns_or_ends = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // XML has none of the last two.
    !c.is_control() && !turns_or_ends && !matches!(c, '\u{fffe}' | '\u{ffff}')
}
