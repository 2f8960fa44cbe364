//! The language of plans: `phase:verb argument rest of it; phase:verb …`.

/// The steps of one phase, in order.
#[derive(Clone, Default)]
pub struct Plan {
    steps: Vec<Step>,
}

/// One thing to do.
#[derive(Clone)]
pub struct Step {
    phase: String,
    pub verb: String,
    rest: String,
}

// === impl Plan ===

impl Plan {
    pub fn parse(text: &str) -> Self {
        let steps = text.split(';').filter_map(|step| {
            let (phase, step) = step.trim().split_once(':')?;
            let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
            Some(Step { phase: phase.into(), verb: verb.into(), rest: rest.into() })
        });
        Self { steps: steps.collect() }
    }

    pub fn of(&self, phase: &str) -> Vec<Step> {
        self.steps.iter().filter(|step| step.phase == phase).cloned().collect()
    }
}

// === impl Step ===

impl Step {
    /// The arguments split into `N`; the last one takes the rest.
    pub fn arguments<const N: usize>(&self) -> [&str; N] {
        let mut arguments = [""; N];
        for (slot, part) in arguments.iter_mut().zip(self.rest.splitn(N, ' ')) {
            *slot = part;
        }
        arguments
    }
}
