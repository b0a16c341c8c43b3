//! Codes, statuses and names agree.

use super::*;

#[test]
fn every_code_finds_itself() {
    for entry in catalogue() {
        assert_eq!(entry.code.entry().code, entry.code);
        assert_eq!(entry.code.as_str().parse(), Ok(entry.code));
        assert_eq!(entry.code.status().as_u16(), entry.status);
        assert!(!entry.of_a_field || entry.status == 422);
    }
}
