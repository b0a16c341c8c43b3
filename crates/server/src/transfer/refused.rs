//! The file of refused rows: in the form of the input, so that it can be mended and given again.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};

use super::rows::Form;

/// Where refused rows are kept.
pub(crate) struct Refused {
    file: BufWriter<File>,
    form: Form,
    is_first: bool,
}

impl Refused {
    /// `header` is the first line of CSV.
    pub(crate) fn new(file: File, form: Form, header: Option<&[u8]>) -> io::Result<Self> {
        let mut file = BufWriter::new(file);
        match form {
            Form::JsonArray { in_object: true } => file.write_all(b"{\"users\": [\n")?,
            Form::JsonArray { in_object: false } => file.write_all(b"[\n")?,
            Form::JsonLines => {}
            Form::Csv => {
                file.write_all(header.unwrap_or_default())?;
                file.write_all(b"\n")?;
            }
        }
        Ok(Self { file, form, is_first: true })
    }

    pub(crate) fn keep(&mut self, raw: &[u8]) -> io::Result<()> {
        if raw.is_empty() {
            return Ok(());
        }
        let is_array = matches!(self.form, Form::JsonArray { .. });
        if is_array && !self.is_first {
            self.file.write_all(b",\n")?;
        }
        self.is_first = false;
        self.file.write_all(raw)?;
        if !is_array {
            self.file.write_all(b"\n")?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        match self.form {
            Form::JsonArray { in_object: true } => self.file.write_all(b"\n]}\n")?,
            Form::JsonArray { in_object: false } => self.file.write_all(b"\n]\n")?,
            Form::JsonLines | Form::Csv => {}
        }
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}
