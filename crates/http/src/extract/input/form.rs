//! Pairs of names and values: forms and queries. A name may occur once (H9).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};

use vestibule::Policy;

use super::fields::{Fields, ReadFields};
use super::json::{read_body, require_type};
use super::tree::Tree;
use crate::catalogue::Code;
use crate::problem::Problem;

/// Decoded pairs.
#[derive(Debug, Default)]
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

impl Pairs {
    /// Decodes `a=1&b=2`. Invalid UTF-8 is refused, where the URL standard would insert a `U+FFFD`: a password must not
    /// turn into another.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Problem> {
        let Self(pairs) = Self::parse_repeated(text)?;
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|two| two[0] == two[1]) {
            return Err(Problem::new(Code::InvalidRequest).detail("A parameter came more than once."));
        }
        Ok(Self(pairs))
    }

    /// The same for readers that decide themselves which names may occur more than once.
    pub(crate) fn parse_repeated(text: &[u8]) -> Result<Self, Problem> {
        let sent = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        let pairs: Option<Vec<(String, String)>> = sent.map(pair).collect();
        let refused = "The parameters are not percent-encoded UTF-8.";
        pairs.map(Self).ok_or_else(|| Problem::new(Code::InvalidRequest).detail(refused))
    }

    /// Reads a whole `T`, as strictly as from a JSON body. An empty field counts as not sent.
    pub(crate) fn read<T: ReadFields>(self, policy: &Policy) -> Result<T, Problem> {
        let filled = self.0.into_iter().filter(|(_, value)| !value.is_empty());
        Fields::read_all(filled.map(|(name, value)| (name, Tree::Text(value))).collect(), policy)
    }

    /// The same with fields that are no texts.
    pub(crate) fn read_with<T: ReadFields, const N: usize>(
        self,
        others: [(&str, Tree); N],
        policy: &Policy,
    ) -> Result<T, Problem> {
        let filled = self.0.into_iter().filter(|(_, value)| !value.is_empty());
        let texts = filled.map(|(name, value)| (name, Tree::Text(value)));
        let others = others.map(|(name, value)| (name.to_owned(), value));
        Fields::read_all(texts.chain(others).collect(), policy)
    }

    /// Reads a whole `T` with a list among its fields: in a form the list is one text, with spaces or commas between
    /// the items. An empty text is an empty list.
    pub(crate) fn read_with_list<T: ReadFields>(mut self, list: &str, policy: &Policy) -> Result<T, Problem> {
        let text = self.take(list).unwrap_or_default();
        let items = text.split([' ', ',']).filter(|item| !item.is_empty());
        let items = Tree::List(items.map(|item| Tree::Text(item.to_owned())).collect());
        self.read_with([(list, items)], policy)
    }

    /// Reads a whole `T` with lists and an object of texts among its fields: in a form each is one text, with spaces or line
    /// breaks between the items, which in the object are `name=value`. An empty text is an empty list or object.
    pub(crate) fn read_with_lists<T: ReadFields>(
        mut self,
        lists: &[&str],
        object: &str,
        policy: &Policy,
    ) -> Result<T, Problem> {
        let mut sent = Vec::new();
        for list in lists {
            let text = self.take(list).unwrap_or_default();
            let items = text.split_ascii_whitespace().map(|item| Tree::Text(item.to_owned()));
            sent.push(((*list).to_owned(), Tree::List(items.collect())));
        }
        let text = self.take(object).unwrap_or_default();
        let members = text.split_ascii_whitespace().map(|item| {
            let (name, value) = item.split_once('=').unwrap_or((item, ""));
            (name.to_owned(), Tree::Text(value.to_owned()))
        });
        sent.push((object.to_owned(), Tree::Object(members.collect())));
        let filled = self.0.into_iter().filter(|(_, value)| !value.is_empty());
        sent.extend(filled.map(|(name, value)| (name, Tree::Text(value))));
        Fields::read_all(sent, policy)
    }

    /// The value of a name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }

    /// Removes and returns the value of a name, unless it is empty.
    pub(crate) fn filled(&mut self, name: &str) -> Option<String> {
        self.take(name).filter(|value| !value.is_empty())
    }

    /// Sets the value of a name, whatever was sent.
    pub(crate) fn put(&mut self, name: &str, value: &str) {
        drop(self.take(name));
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Removes and returns the value of a name.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(sent, _)| sent == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

/// `name=value`, or a name alone.
fn pair(text: &[u8]) -> Option<(String, String)> {
    let mut halves = text.splitn(2, |byte| *byte == b'=');
    Some((decoded(halves.next()?)?, decoded(halves.next().unwrap_or_default())?))
}

/// `+` is a space, and `%` begins two digits (URL standard, `application/x-www-form-urlencoded`).
fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => digit(*rest.next()?)? << 4 | digit(*rest.next()?)?,
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A body of `application/x-www-form-urlencoded`. Its readers ignore unknown names (RFC 6749 §3.2).
pub(crate) struct Form(pub(crate) Pairs);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let FormText(body) = FormText::from_request(request, state).await?;
        Pairs::parse(&body).map(Form)
    }
}

/// The same, not decoded yet.
pub(crate) struct FormText(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for FormText {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        require_type(request.headers(), &["application/x-www-form-urlencoded"])?;
        read_body(request.into_body()).await.map(FormText)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[u8]) -> Option<Vec<(String, String)>> {
        Pairs::parse(text).ok().map(|Pairs(pairs)| pairs)
    }

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let expected = [("a b", "ä+=&"), ("c", ""), ("d", "="), ("", "x")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(pairs("a+b=%C3%A4%2b%3D%26&&c&d==&=x".as_bytes()), Some(expected));
        assert_eq!(pairs("ä=ö".as_bytes()), Some(vec![("ä".to_owned(), "ö".to_owned())]));
        assert_eq!(pairs(b""), Some(Vec::new()));
    }

    #[test]
    fn what_is_not_utf_8_or_comes_twice_is_refused() {
        for text in
            [&b"a=%ff%fe"[..], b"%ff=a", b"a=\xff", b"a=%", b"a=%f", b"a=%zz", b"a=%+1", b"a=%ed%a0%80"]
        {
            assert_eq!(pairs(text), None, "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(pairs(b"a=1&b=2&%61=3"), None);
    }
}
