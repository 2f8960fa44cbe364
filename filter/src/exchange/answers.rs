//! How a request is answered: with what its integration made of an answer, or a gateway response.

use super::finish::{add_ids, finish};
use super::proxy_answers::{failure_of, replace};
use super::routing::Refused;
use super::{Exchange, Phase};
use crate::context::Context;
use crate::flow::Effect;
use crate::gateway::{Route, Stage};
use crate::gateway_response::{Failure, GatewayResponses, ResponseType, answer};
use crate::http::{Response, ResponseHead};
use crate::platform::{Platform, Section};
use std::sync::Arc;

// === impl Exchange ===

impl Exchange {
    /// What an integration made of its backend's answer goes to the client.
    pub(super) fn integrated(
        &mut self,
        stage: &Stage,
        context: Context,
        mut response: Response,
        platform: &dyn Platform,
    ) -> Effect {
        finish(&mut response.head, stage, &context);
        self.record.succeeded(&context, &response.head, Some(&response.body), platform);
        self.reply(response, context, platform)
    }

    /// A response came: from the upstream, or from the proxy in its place.
    pub(super) fn response_head(
        &mut self,
        stage: &Stage,
        route: &Route,
        mut context: Context,
        (mut head, end): (ResponseHead, bool),
        sent: usize,
        platform: &dyn Platform,
    ) -> Effect {
        head.headers.retain(|name| !name.starts_with("x-envoy-"));
        if let Some(failure) = failure_of(&head, &context, platform) {
            platform.note(Section::GatewayResponse, "failure", &|| failure.describe());
            self.record.integration_failed(&failure, platform);
            let mut response = answer(&failure, &stage.api.gateway_responses, &mut context, platform);
            finish(&mut response.head, stage, &context);
            self.record.failed(&context, &failure, &response, platform);
            let effect = replace(response, end, context.client_sent_head);
            if let Effect::Replace(Response { head, body }) = &effect {
                self.record.answered(head.status, body, context, platform);
            }
            return effect;
        }
        platform.note(Section::Integration, "response", &|| head.describe());
        self.record.upstream_answered(&context, &head, platform);
        let mut head = route.integration.response(&context, head, platform);
        finish(&mut head, stage, &context);
        platform.note(Section::MethodResponse, "response", &|| head.describe());
        self.record.succeeded(&context, &head, None, platform);
        self.phase = Phase::Relaying { discard: context.client_sent_head, sent };
        self.record.answered(head.status, &[], context, platform);
        Effect::Relay(head)
    }

    pub(super) fn refuse(&mut self, refused: Refused, platform: &dyn Platform) -> Effect {
        let Refused { stage, mut context, failure } = refused;
        let defaults = GatewayResponses::default();
        let responses = stage.as_ref().map_or(&defaults, |stage| &stage.api.gateway_responses);
        platform.note(Section::GatewayResponse, "failure", &|| failure.describe());
        let mut response = answer(&failure, responses, &mut context, platform);
        match &stage {
            Some(stage) => finish(&mut response.head, stage, &context),
            None => add_ids(&mut response.head, &context),
        }
        self.record.failed(&context, &failure, &response, platform);
        self.reply(response, context, platform)
    }

    pub(super) fn reply(&mut self, response: Response, context: Context, platform: &dyn Platform) -> Effect {
        let response = response.without_forbidden_body();
        platform.note(Section::MethodResponse, "response", &|| response.describe());
        let client_sent_head = context.client_sent_head;
        self.record.answered(response.head.status, &response.body, context, platform);
        self.phase = Phase::Answered { response: Box::new(response.clone()), client_sent_head };
        Effect::Reply(response)
    }

    pub(super) fn too_large(&mut self, stage: Arc<Stage>, context: Context, platform: &dyn Platform) -> Effect {
        let failure = Failure::new(ResponseType::RequestTooLarge);
        self.refuse(Refused { stage: Some(stage), context, failure }, platform)
    }
}
