use vestibule::{Logout, LogoutTransport as _, Secret, SendError};
use vestibule_mail::HttpLogouts;

use crate::support::Provider;

fn logout(uri: &str) -> Logout {
    Logout {
        application: "shop".parse().unwrap(),
        uri: uri.to_owned(),
        token: Secret::from("eyJ0eXAiOiJsb2dvdXQrand0In0.e30.c2lnbmVk-_"),
    }
}

async fn outcome(answer: &'static str) -> Result<(), SendError> {
    let provider = Provider::start(answer).await;
    HttpLogouts::new(true).post(&logout(&provider.address)).await
}

// OpenID Connect Back-Channel Logout §2.5
#[tokio::test]
async fn a_token_is_posted_as_a_form() {
    let provider = Provider::start("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let logout = logout(&format!("{}/logout?tenant=1", provider.address));
    HttpLogouts::new(true).post(&logout).await.unwrap();
    let request = provider.request().await;
    assert_eq!(request.line, "POST /logout?tenant=1 HTTP/1.1");
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.body, "logout_token=eyJ0eXAiOiJsb2dvdXQrand0In0.e30.c2lnbmVk-_");
}

// §2.8: 200 or 204; 400 says that the token is refused.
#[tokio::test]
async fn what_an_answer_means() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 204 No Content\r\n\r\n",
        // The body of the answer is not waited for.
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
    ] {
        assert_eq!(outcome(answer).await, Ok(()), "{answer}");
    }
    for answer in [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
    ] {
        let outcome = outcome(answer).await;
        assert!(matches!(outcome, Err(SendError::Permanent(_))), "{answer}: {outcome:?}");
    }
    for answer in [
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        "SMTP\r\n\r\n",
        "",
    ] {
        let outcome = outcome(answer).await;
        assert!(matches!(outcome, Err(SendError::Temporary(_))), "{answer}: {outcome:?}");
    }
    let throttled =
        outcome("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n").await;
    assert!(
        matches!(&throttled, Err(SendError::Throttled { retry_after, .. }) if retry_after.as_secs() == 120),
        "{throttled:?}"
    );
}

// O6: a token must not be carried to where a redirect points.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Provider::start("HTTP/1.1 204 No Content\r\n\r\n").await;
        let answer =
            format!("HTTP/1.1 {status} X\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", elsewhere.address);
        let outcome = outcome(answer.leak()).await;
        let Err(SendError::Temporary(cause)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(cause, format!("the application points to another place: correct logout_uri ({status})"));
        assert!(elsewhere.was_not_asked(), "{status}");
    }
}

// O6: the operator's word is needed, and the cause says why without the path, which may be a token.
#[tokio::test]
async fn this_machine_is_not_reached_without_the_operators_word() {
    let provider = Provider::start("HTTP/1.1 204 No Content\r\n\r\n").await;
    let (_, port) = provider.address.rsplit_once(':').unwrap();
    for uri in [
        format!("http://127.0.0.1:{port}/hunter2"),
        format!("https://127.0.0.1:{port}/hunter2"),
        format!("https://localhost:{port}/hunter2"),
        format!("https://[::1]:{port}/hunter2"),
        "ftp://127.0.0.1/hunter2".to_owned(),
        "hunter2".to_owned(),
    ] {
        let outcome = HttpLogouts::new(false).post(&logout(&uri)).await;
        let Err(SendError::Temporary(cause)) = outcome else { panic!("{uri}: {outcome:?}") };
        assert!(cause.starts_with("logout_uri: ") && !cause.contains("hunter2"), "{cause}");
    }
    for uri in ["http://169.254.169.254/", "https://[fe80::1]/", "http://8.8.8.8/"] {
        let outcome = HttpLogouts::new(true).post(&logout(uri)).await;
        assert!(matches!(outcome, Err(SendError::Temporary(_))), "{uri}: {outcome:?}");
    }
    assert!(provider.was_not_asked());
}
