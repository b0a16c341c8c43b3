//! A name server on loopback that knows the records of a test, or says nothing.

use std::net::UdpSocket;

use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, MX, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use crate::peers::in_background;

/// A record as a test writes it: name, type, value.
pub(crate) type Written = (&'static str, &'static str, &'static str);

/// All that a sender's domain should have.
pub(crate) const COMPLETE: [Written; 4] = [
    ("example.org.", "MX", "mx1.example.org."),
    ("example.org.", "TXT", "v=spf1 include:relay.example.net -all"),
    ("example.org.", "TXT", "site-verification=1"),
    ("_dmarc.example.org.", "TXT", "v=DMARC1; p=quarantine"),
];

/// Answers from these records until the test ends; other names do not exist. Gives its address.
pub(crate) fn name_server(records: &'static [Written]) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    in_background(move || {
        let mut buffer = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut buffer) {
            let question = Message::from_vec(&buffer[..length]).unwrap();
            socket.send_to(&answer(&question, records).to_vec().unwrap(), client).unwrap();
        }
    });
    address
}

/// Takes questions and answers none, as long as it is held.
pub(crate) fn silent_name_server() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

fn answer(question: &Message, records: &[Written]) -> Message {
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    let query = question.queries.first().unwrap().clone();
    let of_name: Vec<_> =
        records.iter().filter(|(name, ..)| query.name().to_ascii().eq_ignore_ascii_case(name)).collect();
    if of_name.is_empty() {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    answer.add_answers(of_name.into_iter().filter_map(|written| record(&query, written)));
    answer.add_query(query);
    answer
}

fn record(query: &Query, (_, kind, value): &Written) -> Option<Record> {
    let (of, data) = match *kind {
        "A" => (RecordType::A, RData::A(A(value.parse().unwrap()))),
        "MX" => (RecordType::MX, RData::MX(MX::new(10, Name::from_ascii(value).unwrap()))),
        // Long texts come in pieces.
        "TXT" => {
            let (one, two) = value.split_at(value.len() / 2);
            (RecordType::TXT, RData::TXT(TXT::new(vec![one.to_owned(), two.to_owned()])))
        }
        _ => panic!("no record of type {kind}"),
    };
    (query.query_type() == of).then(|| Record::from_rdata(query.name().clone(), 60, data))
}
