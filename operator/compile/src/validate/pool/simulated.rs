//! A provider that answers without a network.

use fkm_crds::Simulated as SimulatedSpec;
use fkm_snapshot::{Millis, Simulated, SimulatedError};

use super::Judge;

/// What a simulated provider says when its pool does not say what.
const SIMULATED_TEXT: &str = "This is a simulated answer; no model was asked.";

// === impl Judge ===

impl Judge<'_> {
    pub(super) fn simulated(&mut self) -> Option<Simulated> {
        let unused = [
            ("baseURL", self.spec.base_url.is_some()),
            ("credentials", self.spec.credentials.is_some()),
            ("dialect", self.spec.dialect.is_some()),
            ("locality", self.spec.locality.is_some()),
            ("tls", self.spec.tls.is_some()),
        ];
        for (field, given) in unused {
            if given {
                self.invalid(field, "type Simulated uses no network; remove it");
            }
        }
        let Some(spec) = &self.spec.simulated else {
            self.invalid(
                "simulated",
                "type Simulated needs it; an empty one, {}, will do",
            );
            return None;
        };
        Some(Simulated {
            latency: self.latency(spec),
            error_per_million: self.error_rate(spec),
            error: spec
                .error
                .map_or_else(SimulatedError::default, simulated_error),
            cut_after_events: spec
                .cut_after_events
                .map_or(0, |events| u32::try_from(events).unwrap_or(0)),
            text: spec
                .text
                .clone()
                .unwrap_or_else(|| SIMULATED_TEXT.to_owned()),
        })
    }

    fn latency(&mut self, spec: &SimulatedSpec) -> Option<Millis> {
        let parsed = spec.latency.as_ref()?.parse();
        match parsed {
            Ok(latency) if latency.is_zero() => None,
            Ok(latency) => Some(Millis(
                u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            )),
            Err(error) => {
                self.invalid("simulated.latency", error.to_string());
                None
            }
        }
    }

    fn error_rate(&mut self, spec: &SimulatedSpec) -> u32 {
        if spec.error.is_some() && spec.error_rate.is_none() {
            self.invalid(
                "simulated.error",
                "it never happens without errorRate; give an errorRate or remove error",
            );
        }
        let Some(rate) = &spec.error_rate else {
            return 0;
        };
        rate.rate_per_million().unwrap_or_else(|error| {
            self.invalid("simulated.errorRate", error.to_string());
            0
        })
    }
}

fn simulated_error(error: fkm_crds::SimulatedError) -> SimulatedError {
    match error {
        fkm_crds::SimulatedError::Overloaded => SimulatedError::Overloaded,
        fkm_crds::SimulatedError::RateLimited => SimulatedError::RateLimited,
        fkm_crds::SimulatedError::ServerError => SimulatedError::ServerError,
        fkm_crds::SimulatedError::ConnectFailure => SimulatedError::ConnectFailure,
        fkm_crds::SimulatedError::Timeout => SimulatedError::Timeout,
    }
}
