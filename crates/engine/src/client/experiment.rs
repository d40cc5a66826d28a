//! Experiments: a name that runs have in common.

use footplate_core::Fault;

use super::keeper::Client;

impl Client {
    /// A name for an experiment that no run has or had: `digits-sweep-1` for `digits-sweep`, `-2` where that one is taken.
    ///
    /// # Errors
    /// `Storage`.
    pub fn fresh_experiment(&self, of: &str) -> Result<String, Fault> {
        let read = self.store.read()?;
        let mut number = 1_u64;
        loop {
            let name = format!("{of}-{number}");
            if !read.has_experiment(&name)? {
                return Ok(name);
            }
            number += 1;
        }
    }
}
