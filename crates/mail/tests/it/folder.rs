use vestibule::{MailTransport as _, SendAttempt};

use crate::support::{confirmation, mailer};

#[tokio::test]
async fn one_private_file_per_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let mailer = mailer(&format!("file://{}", path.display()));
    mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    // A second attempt of the same message is the same file.
    mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].file_name(), "msg_0123456789abcdefghijklmno0.eml");
    let source = std::fs::read_to_string(files[0].path()).unwrap();
    assert!(source.contains("\r\nTo: ada@example.org\r\n"), "{source}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[tokio::test]
async fn a_folder_that_vanished_is_worth_another_try() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = mailer(&format!("file://{}", folder.path().display()));
    folder.close().unwrap();
    assert!(matches!(
        mailer.send(&confirmation(), &SendAttempt::untracked()).await,
        Err(vestibule::SendError::Temporary(_))
    ));
}

#[tokio::test]
async fn the_console_always_works() {
    mailer("console:").send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
}
