//! The mailbox of the development mode, as seen by the pages and `/dev/mail/latest`.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use vestibule::{Email, Secret};
use vestibule_http::{DevFault, DevMail, DevMailbox};
use vestibule_mail::{Fault, Memory, Received};

/// The mailbox that receives mail instead of it being sent.
pub(crate) struct Mailbox(pub(crate) Memory);

impl DevMailbox for Mailbox {
    fn list(&self) -> Vec<DevMail> {
        self.0.list().iter().rev().map(|mail| shown(mail)).collect()
    }

    fn clear(&self) {
        self.0.clear();
    }

    fn fault(&self) -> DevFault {
        match self.0.fault() {
            Fault::Ok => DevFault::None,
            Fault::Unreachable => DevFault::Unreachable,
            Fault::Temporary => DevFault::Temporary,
            Fault::Permanent => DevFault::Permanent,
            Fault::Stall => DevFault::Stall,
        }
    }

    fn set_fault(&self, fault: DevFault) {
        self.0.set_fault(match fault {
            DevFault::None => Fault::Ok,
            DevFault::Unreachable => Fault::Unreachable,
            DevFault::Temporary => Fault::Temporary,
            DevFault::Permanent => Fault::Permanent,
            DevFault::Stall => Fault::Stall,
        });
    }

    fn latest<'a>(
        &'a self,
        to: &'a str,
        wait: Duration,
    ) -> Pin<Box<dyn Future<Output = Option<DevMail>> + Send + 'a>> {
        Box::pin(async move {
            let to: Email = to.parse().ok()?;
            let mail = match self.0.latest(&to) {
                Some(mail) => mail,
                None => self.0.wait_for(&to, 0, wait).await?,
            };
            Some(shown(&mail))
        })
    }
}

fn shown(mail: &Received) -> DevMail {
    let text = |secret: Option<&Secret>| secret.map(|it| it.expose().to_owned());
    DevMail {
        number: mail.number,
        to: mail.to.as_str().to_owned(),
        subject: mail.subject.clone(),
        text: mail.text.clone(),
        html: mail.html.clone(),
        source: mail.source.clone(),
        code: text(mail.code.as_ref()),
        link: text(mail.link.as_ref()),
        created_at: mail.created_at,
    }
}
