//! What a pipeline would do, and how long it would take by what its stages took before. Starts nothing.

use std::collections::HashMap;

use footplate_core::Fault;
use footplate_core::dag;
use footplate_core::definition::Definition;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use crate::client::Client;

/// A pipeline's plan with times.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The pipeline's name.
    pub pipeline: String,
    /// The number of stages.
    pub stages: usize,
    /// The names of the stages, each in the first level at which all it needs has ended.
    pub levels: Vec<Vec<String>>,
    /// The most stages that may run side by side.
    pub max_parallelism: usize,
    /// The chain of needs that takes longest: by the times, or by the number of stages where there are none.
    pub critical_path: Vec<String>,
    /// Seconds each stage is expected to run; those without history are left out.
    pub expected_stage_s: IndexMap<String, f64>,
    /// Seconds the run is expected to take where nothing waits for room: the critical path's. `None` where a stage has no history.
    pub expected_s: Option<f64>,
    /// The values of the parameters, secrets left out.
    pub params: IndexMap<String, Value>,
}

/// Checks a definition and its parameters and plans it. With a `Client`, times come from its history.
///
/// # Errors
/// `InvalidPipeline` with all faults at once; `Storage`.
pub fn plan(
    definition: &Definition,
    params: &IndexMap<String, Value>,
    history: Option<&Client>,
) -> Result<Plan, Fault> {
    let mut definition = definition.clone();
    let file = definition.name.clone();
    footplate_spec::check(&mut definition).map_err(|problems| problems.fault(&file))?;
    let mut params = footplate_spec::parameters(&definition, None, params).map_err(|problems| problems.fault(&file))?;
    let _ = footplate_spec::take_secrets(&definition, &mut params);
    let times = match history {
        Some(client) => client.expected_times(&definition.name)?,
        None => HashMap::new(),
    };
    Ok(with_times(&definition, params, &times))
}

/// Seconds a run is expected to take by the times of its stages; `None` where a stage has none.
#[must_use]
pub fn expected(definition: &Definition, times: &HashMap<String, f64>) -> Option<f64> {
    with_times(definition, IndexMap::new(), times).expected_s
}

fn with_times(definition: &Definition, params: IndexMap<String, Value>, times: &HashMap<String, f64>) -> Plan {
    let drawn = footplate_spec::plan::plan(definition);
    let expected_stage_s: IndexMap<String, f64> =
        definition.stages.keys().filter_map(|name| Some((name.clone(), *times.get(name)?))).collect();
    let (critical_path, expected_s) = if expected_stage_s.len() == definition.stages.len() {
        let seconds: Vec<f64> = expected_stage_s.values().copied().collect();
        let (path, length) = dag::critical_path(&footplate_spec::plan::needs_by_index(definition), &seconds);
        let names = path.iter().filter_map(|i| definition.stages.get_index(*i as usize)).map(|(name, _)| name.clone());
        (names.collect(), Some(length))
    } else {
        (drawn.critical_path, None)
    };
    Plan {
        pipeline: definition.name.clone(),
        stages: drawn.stages,
        levels: drawn.levels,
        max_parallelism: drawn.max_parallelism,
        critical_path,
        expected_stage_s,
        expected_s,
        params,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use footplate_core::definition::Stage;

    #[test]
    fn the_expected_time_is_that_of_the_slowest_chain() {
        let stage = |needs: &[&str]| Stage {
            command: vec!["true".into()],
            needs: needs.iter().map(|n| (*n).to_owned()).collect(),
            ..Stage::default()
        };
        let stages = [("a", stage(&[])), ("b", stage(&["a"])), ("c", stage(&["a"])), ("d", stage(&["b", "c"]))];
        let definition: Definition = serde_json::from_value(serde_json::json!({
            "format": 1, "name": "diamond",
            "stages": stages.into_iter().map(|(n, s)| (n.to_owned(), s)).collect::<IndexMap<_, _>>(),
        }))
        .unwrap();
        let times = |all: &[(&str, f64)]| all.iter().map(|(n, s)| ((*n).to_owned(), *s)).collect::<HashMap<_, _>>();
        let known = with_times(&definition, IndexMap::new(), &times(&[("a", 1.0), ("b", 5.0), ("c", 2.0), ("d", 1.0)]));
        assert_eq!(known.expected_s, Some(7.0));
        assert_eq!(known.critical_path, ["a", "b", "d"]);
        assert_eq!(known.levels, [vec!["a"], vec!["b", "c"], vec!["d"]]);
        let partly = with_times(&definition, IndexMap::new(), &times(&[("a", 1.0)]));
        assert_eq!((partly.expected_s, partly.expected_stage_s.len()), (None, 1));
    }
}
