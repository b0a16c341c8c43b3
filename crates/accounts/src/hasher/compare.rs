//! Compares a password with hashes, stage by stage.

use super::argon::{Arena, Recipe};
use super::foreign_time::ForeignTime;
use crate::domain::password::Password;

/// PHC strings to compare a password with, stage by stage, up to the first with a match. A stage costs at least one
/// hash, even if it is empty.
pub(crate) type Stages = Vec<Vec<String>>;

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verified {
    /// For each hash of each stage, whether it matches the password.
    pub(super) matching: Vec<Vec<bool>>,
    /// Comparisons with hashes of other programs.
    pub(super) foreign: Vec<ForeignTime>,
}

/// Which hashes of which stage match, and how many were computed to find out.
pub(super) fn compare(
    recipe: Recipe,
    arena: &mut Arena,
    password: &Password,
    stages: &Stages,
) -> (Verified, usize) {
    let mut matching: Vec<Vec<bool>> = stages.iter().map(|hashes| vec![false; hashes.len()]).collect();
    let mut foreign = Vec::new();
    let mut computed = 0;
    for (hashes, found) in stages.iter().zip(&mut matching) {
        let compared = recipe.matches(arena, password, hashes);
        computed += compared.computed;
        foreign.extend(compared.foreign);
        *found = compared.matching;
        if found.contains(&true) {
            break;
        }
    }
    (Verified { matching, foreign }, computed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparing_ends_at_the_first_stage_with_a_match() {
        let (mut arena, recipe) = (Arena::default(), Recipe::new(64, 1));
        let password = |text| Password::new(text).unwrap();
        let mut hash = |text, salt| recipe.hash(&mut arena, &password(text), &[salt; 16]).unwrap();
        let stages = vec![vec![hash("first-password", 1)], vec![hash("second-password", 2)], vec![]];
        let mut compared = |text| {
            let (verified, computed) = compare(recipe, &mut arena, &password(text), &stages);
            (verified.matching, computed)
        };
        assert_eq!(compared("first-password"), (vec![vec![true], vec![false], vec![]], 1));
        assert_eq!(compared("second-password"), (vec![vec![false], vec![true], vec![]], 2));
        assert_eq!(compared("third-password"), (vec![vec![false], vec![false], vec![]], 3));
    }
}
