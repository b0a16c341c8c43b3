//! Webhooks from the program to a receiver on this machine.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use vestibule_testing::{Finished, PATIENCE, Site, eventually, on_both_databases};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "plover-tundra-saffron-61";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The receiver of webhooks.
struct Receiver(TcpListener);

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    /// The program, configured to post here.
    fn command(&self, site: &Site, arguments: &[&str]) -> Command {
        let mut command = site.command(arguments);
        command.env(
            "VESTIBULE_WEBHOOKS_URL",
            format!("http://{}/hooks/s3cret-path", self.0.local_addr().unwrap()),
        );
        command.env("VESTIBULE_WEBHOOKS_SECRET", SECRET);
        command.env("VESTIBULE_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES", "true");
        command
    }

    /// The next event, verified as a receiver does, and accepted.
    fn next(&self) -> Value {
        let (stream, _) = eventually("a webhook arrives", || self.0.accept().ok());
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            if line.trim_end().is_empty() {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        assert_eq!(lines[0], "POST /hooks/s3cret-path HTTP/1.1");
        let headers: HashMap<&str, &str> = lines.iter().filter_map(|line| line.split_once(": ")).collect();
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&BASE64.decode(&SECRET.as_bytes()[6..]).unwrap()).unwrap();
        mac.update(format!("{}.{}.", headers["webhook-id"], headers["webhook-timestamp"]).as_bytes());
        mac.update(&body);
        let expected = format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()));
        assert_eq!(headers["webhook-signature"], expected);
        stream.get_mut().write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
        let event: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(event["id"], headers["webhook-id"]);
        event
    }
}

#[test]
fn a_receiver_is_told_of_a_user_from_birth_to_end() {
    on_both_databases(|site| {
        let receiver = Receiver::start();
        let server = site.start({
            let mut command = receiver.command(site, &["serve", "--listen", "127.0.0.1:0"]);
            command.env("VESTIBULE_LOG_LEVEL", "trace");
            // Nothing listens there: a proxy would resolve names itself, so none is used (O6).
            command.env("HTTP_PROXY", "http://127.0.0.1:9").env("http_proxy", "http://127.0.0.1:9");
            command
        });
        let http = server.http();
        server.has_confirmed(EMAIL, PASSWORD);
        let born = receiver.next();
        assert_eq!(born["type"], "user.created");
        let user = &http.me(&http.sign_in(EMAIL, PASSWORD))["id"];
        assert_eq!(&born["data"], &serde_json::json!({ "user_id": user }));
        // A command on the server writes the event, the server posts it.
        for (arguments, event) in [
            (&["user", "disable", EMAIL][..], "user.disabled"),
            (&["user", "delete", EMAIL, "--yes"], "user.deleted"),
        ] {
            Finished::from(receiver.command(site, arguments).output().unwrap()).ok();
            let told = receiver.next();
            assert_eq!((&told["type"], &told["data"]["user_id"]), (&event.into(), user));
        }
        // O1: neither the path of the URL, which may be a token, nor the secret is logged.
        let log = server.whole_log().join("\n");
        assert!(log.contains("handed over"), "{log}");
        assert!(!log.contains("s3cret-path") && !log.contains(&SECRET[6..]), "{log}");
    });
}

// O6: without the operator's permission nothing is posted to this machine, and the program refuses to start.
#[test]
fn a_private_receiver_needs_the_operator_s_word() {
    let site = Site::sqlite();
    for (command, code) in [("serve", 2), ("check-config", 3)] {
        let mut command = Receiver::start().command(&site, &[command]);
        command.env("VESTIBULE_WEBHOOKS_URL", "https://127.0.0.1/s3cret-path");
        command.env("VESTIBULE_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES", "false");
        let refused = Finished::of(&mut command);
        let refused =
            refused.refused(code, "`webhooks.url` (VESTIBULE_WEBHOOKS_URL): 127.0.0.1 is a private address");
        assert!(
            refused.stderr.contains("VESTIBULE_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES=true"),
            "{}",
            refused.stderr
        );
        assert!(!refused.stderr.contains("s3cret-path"), "{}", refused.stderr);
    }
}
