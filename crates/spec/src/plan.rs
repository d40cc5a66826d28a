//! What would run in what order: levels and the greatest parallelism.
//!
//! Not here: expected times, which come from history.

use footplate_core::dag;
use footplate_core::definition::Definition;

use crate::check::needs;

/// A pipeline's plan.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Plan {
    /// The names of the stages, each in the first level at which all it needs has ended.
    pub levels: Vec<Vec<String>>,
    /// The most stages in one level.
    pub max_parallelism: usize,
    /// The number of stages.
    pub stages: usize,
    /// The longest chain of needs, counted in stages.
    pub critical_path: Vec<String>,
}

/// Plans a checked definition. One with circles, which no check lets pass, has no levels.
#[must_use]
pub fn plan(definition: &Definition) -> Plan {
    let needs = needs(definition);
    let levels = dag::levels(&needs).unwrap_or_default();
    let (critical, _) = dag::critical_path(&needs, &vec![1.0; needs.len()]);
    let names = |list: &[u32]| -> Vec<String> {
        list.iter()
            .filter_map(|&index| definition.stages.get_index(index as usize))
            .map(|(name, _)| name.clone())
            .collect()
    };
    Plan {
        max_parallelism: dag::max_parallelism(&levels),
        levels: levels.iter().map(|level| names(level)).collect(),
        stages: definition.stages.len(),
        critical_path: names(&critical),
    }
}

/// The needs of every stage as indexes into the stages, in the order of the definition; for [`dag::critical_path`] with real times.
#[must_use]
pub fn needs_by_index(definition: &Definition) -> Vec<Vec<u32>> {
    needs(definition)
}
