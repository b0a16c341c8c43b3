//! Commands for the system that the program is installed on: its shell, its manual, its settings files.

pub(super) mod check_config;
pub(super) mod completions;
pub(super) mod explain;
pub(super) mod init;
pub(super) mod man;
pub(super) mod settings;
