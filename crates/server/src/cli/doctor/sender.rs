//! What DNS says of the sender's domain: where answers go, who may send in its name, and what becomes of forged mail.

use std::net::SocketAddr;

use super::dns::{Dns, Told};
use super::report::Finding;
use crate::config::settings::Config;

const MX: &str = "sender mx";
const SPF: &str = "sender spf";
const DMARC: &str = "sender dmarc";

/// Asks for the records of the sender's domain, all at once.
pub(super) async fn check(config: &Config, server: Option<SocketAddr>) -> Vec<Finding> {
    // Without a sender, `configuration` has said so.
    let Some(sender) = config.sender() else { return Vec::new() };
    let domain = sender.address().domain();
    let dns = Dns::of(server);
    let (mx, spf, dmarc) = tokio::join!(exchangers(&dns, domain), dns.texts(domain), policies(&dns, domain));
    match mx {
        Told::NoSuchName => vec![no_domain(domain)],
        mx => vec![of_mx(domain, mx), of_spf(domain, spf), of_dmarc(domain, dmarc)],
    }
}

/// The exchangers; the domain itself where it has none, but an address.
async fn exchangers(dns: &Dns, domain: &str) -> Told<String> {
    match dns.exchangers(domain).await {
        Told::Nothing if dns.has_address(domain).await => Told::Records(vec![domain.to_owned()]),
        told => told,
    }
}

/// The policies of the domain, or of the nearest above it that has any, and whose they are. An error is why nobody answered.
async fn policies(dns: &Dns, domain: &str) -> Result<Option<(String, Vec<String>)>, String> {
    let mut above = Some(domain);
    while let Some(domain) = above.filter(|domain| domain.contains('.')) {
        let mut texts = dns.texts(&format!("_dmarc.{domain}")).await.answered()?;
        texts.retain(|text| tag(text, "v") == Some("DMARC1"));
        if !texts.is_empty() {
            return Ok(Some((domain.to_owned(), texts)));
        }
        above = domain.split_once('.').map(|(_, above)| above);
    }
    Ok(None)
}

/// The value of a tag (RFC 7489 §6.4).
fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(tag, value)| (tag.trim(), value.trim()))
        .find_map(|(tag, value)| (tag == name).then_some(value))
}

fn no_domain(domain: &str) -> Finding {
    Finding::fail(MX, format!("{domain}, the sender's domain, does not exist in DNS"))
        .cause("receivers refuse mail from a domain that does not exist, or take it for spam")
        .fix("set VESTIBULE_MAIL_FROM to an address of a domain of yours; `dig MX` and the domain show its records")
}

fn no_answer(check: &'static str, domain: &str, cause: String) -> Finding {
    Finding::warn(check, format!("no answer from DNS about {domain}")).cause(cause).fix(
        "let this machine ask its name servers (`resolvectl status`), or ask another: `vestibule doctor --dns-server ADDRESS`",
    )
}

fn of_mx(domain: &str, told: Told<String>) -> Finding {
    let publish =
        format!("publish an MX record of {domain} that names its mail server; then `dig MX {domain}`");
    match told.answered() {
        Err(cause) => no_answer(MX, domain, cause),
        Ok(hosts) if hosts.is_empty() => Finding::warn(
            MX,
            format!("{domain} has no mail server: neither MX nor address record"),
        )
        .cause("answers and notices of failed delivery go nowhere, and some receivers refuse such senders")
        .fix(publish),
        // RFC 7505 §4.2
        Ok(hosts) if hosts.iter().any(String::is_empty) => {
            Finding::warn(MX, format!("{domain} says that it takes no mail (null MX)"))
                .cause("receivers may refuse mail from a sender who cannot be answered")
                .fix(publish)
        }
        Ok(hosts) => Finding::ok(MX, format!("answers to {domain} go to {}", hosts.join(", "))),
    }
}

fn of_spf(domain: &str, told: Told<String>) -> Finding {
    let mut records = match told.answered() {
        Ok(records) => records,
        Err(cause) => return no_answer(SPF, domain, cause),
    };
    records
        .retain(|text| text.split(' ').next().is_some_and(|version| version.eq_ignore_ascii_case("v=spf1")));
    let look = format!("then `dig TXT {domain}`");
    match records.as_slice() {
        [] => Finding::warn(SPF, format!("{domain} does not say who may send in its name"))
            .cause("large receivers refuse mail without SPF and DKIM, or take it for spam")
            .fix(format!(
                "publish a TXT record of {domain} as your relay's manual has it, e.g. \"v=spf1 include:RELAY -all\"; {look}"
            )),
        [one] if one.split(' ').any(|term| ["all", "+all"].iter().any(|all| term.eq_ignore_ascii_case(all))) => {
            Finding::fail(SPF, format!("{domain} lets everybody send in its name: {one}"))
                .cause("a record that ends in `+all` permits all machines there are")
                .fix(format!("end the TXT record in `-all` or `~all`; {look}"))
        }
        [one] => Finding::ok(SPF, format!("{domain}: {one}")),
        // RFC 7208 §4.5
        several => Finding::fail(SPF, format!("{domain} has {} SPF records", several.len()))
            .cause("with more than one, receivers count none of them")
            .fix(format!("make one TXT record of them, with the terms of all; {look}")),
    }
}

fn of_dmarc(domain: &str, found: Result<Option<(String, Vec<String>)>, String>) -> Finding {
    let (at, records) = match found {
        Err(cause) => return no_answer(DMARC, &format!("_dmarc.{domain}"), cause),
        Ok(None) => {
            return Finding::warn(DMARC, format!("{domain} does not say what becomes of forged mail"))
                .cause("large receivers ask for a DMARC policy of whoever sends many mails")
                .fix(format!(
                    "publish a TXT record of _dmarc.{domain}, \"v=DMARC1; p=none\" to begin with; then `dig TXT _dmarc.{domain}`"
                ));
        }
        Ok(Some(found)) => found,
    };
    let look = format!("then `dig TXT _dmarc.{at}`");
    match records.as_slice() {
        [one] if tag(one, "p").is_some_and(|policy| ["none", "quarantine", "reject"].contains(&policy)) => {
            Finding::ok(DMARC, format!("_dmarc.{at}: {one}"))
        }
        [one] => Finding::fail(DMARC, format!("_dmarc.{at} names no policy: {one}"))
            .cause("receivers do not count a record without p=none, p=quarantine or p=reject")
            .fix(format!("correct the TXT record; {look}")),
        // RFC 7489 §6.6.3
        several => Finding::fail(DMARC, format!("_dmarc.{at} has {} DMARC records", several.len()))
            .cause("with more than one, receivers count none of them")
            .fix(format!("leave one TXT record; {look}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::State;
    use super::*;

    fn records(texts: &[&str]) -> Told<String> {
        Told::Records(texts.iter().map(|&text| text.to_owned()).collect())
    }

    #[test]
    fn one_sender_policy_that_is_none_for_everybody() {
        for (told, state, found) in [
            (records(&["site=1", "v=spf1 mx -all"]), State::Ok, "example.org: v=spf1 mx -all"),
            (records(&["V=SPF1 a ?ALL"]), State::Ok, "example.org: V=SPF1 a ?ALL"),
            (records(&["v=spf10 -all", "v=spf1"]), State::Ok, "example.org: v=spf1"),
            (
                records(&["v=spf1 +all"]),
                State::Fail,
                "example.org lets everybody send in its name: v=spf1 +all",
            ),
            (
                records(&["v=spf1 ALL"]),
                State::Fail,
                "example.org lets everybody send in its name: v=spf1 ALL",
            ),
            (records(&["v=spf1 a", "v=spf1 mx"]), State::Fail, "example.org has 2 SPF records"),
            (records(&["spf"]), State::Warn, "example.org does not say who may send in its name"),
            (Told::NoSuchName, State::Warn, "example.org does not say who may send in its name"),
        ] {
            let finding = of_spf("example.org", told);
            assert_eq!((finding.state, finding.found.as_str()), (state, found));
        }
    }

    #[test]
    fn one_policy_for_forged_mail() {
        let at = |texts: &[&str]| {
            let texts = texts.iter().map(|&text| text.to_owned()).collect();
            of_dmarc("mail.example.org", Ok(Some(("example.org".to_owned(), texts))))
        };
        for (texts, state, found) in [
            (vec!["v=DMARC1; p=none"], State::Ok, "_dmarc.example.org: v=DMARC1; p=none"),
            (vec!["v=DMARC1;p = reject;"], State::Ok, "_dmarc.example.org: v=DMARC1;p = reject;"),
            (vec!["v=DMARC1"], State::Fail, "_dmarc.example.org names no policy: v=DMARC1"),
            (vec!["v=DMARC1; p=x"], State::Fail, "_dmarc.example.org names no policy: v=DMARC1; p=x"),
            (
                vec!["v=DMARC1; p=none", "v=DMARC1; p=none"],
                State::Fail,
                "_dmarc.example.org has 2 DMARC records",
            ),
        ] {
            let finding = at(&texts);
            assert_eq!((finding.state, finding.found.as_str()), (state, found));
        }
    }

    #[test]
    fn a_mail_server_that_takes_answers() {
        let of = |told| {
            let finding = of_mx("example.org", told);
            (finding.state, finding.found)
        };
        assert_eq!(
            of(records(&["a.example.org", "b.example.org"])),
            (State::Ok, "answers to example.org go to a.example.org, b.example.org".to_owned())
        );
        assert_eq!(
            of(records(&[""])),
            (State::Warn, "example.org says that it takes no mail (null MX)".to_owned())
        );
        assert_eq!(
            of(Told::NoAnswer("x".to_owned())),
            (State::Warn, "no answer from DNS about example.org".to_owned())
        );
    }
}
