//! How each language writes numbers, days and durations.

use super::{Language, filled};

impl Language {
    /// A number with grouped digits.
    pub(crate) fn number(self, number: i64) -> String {
        let between = match self {
            Self::En | Self::Ar => ',',
            Self::De | Self::Es => '.',
            Self::Fr => '\u{202f}',
        };
        let digits = number.to_string();
        let mut grouped = String::new();
        for (at, digit) in digits.chars().enumerate() {
            let after = digits.len() - at;
            if at > 0 && after.is_multiple_of(3) && !grouped.ends_with('-') {
                grouped.push(between);
            }
            grouped.push(digit);
        }
        grouped
    }

    /// A number; if it equals the bound of counting, it means that many or more.
    pub(crate) fn counted(self, number: i64, most: i64) -> String {
        let more = if number >= most { "+" } else { "" };
        format!("{}{more}", self.number(number))
    }

    /// A day without its year; `date` is an RFC 3339 time or date.
    pub(crate) fn day(self, date: &str) -> String {
        let part = |from: usize| date.get(from..from + 2).and_then(|digits| digits.parse::<usize>().ok());
        let (Some(month), Some(day)) = (part(5), part(8)) else { return date.to_owned() };
        let month = self.text("time.months").split(' ').nth(month.wrapping_sub(1)).unwrap_or_default();
        self.fill("time.day", &[("month", month), ("day", &day.to_string())])
    }

    /// A duration in words, rounded up.
    pub(crate) fn duration(self, seconds: u64) -> String {
        let (key, number) = match seconds {
            0..=90 => ("time.seconds", seconds.max(1)),
            91..=5400 => ("time.minutes", seconds.div_ceil(60)),
            _ => ("time.hours", seconds.div_ceil(3600)),
        };
        filled(self.form(self.text(key), number), &[("n", &number.to_string())])
    }

    /// Days in words.
    pub(crate) fn days(self, number: u64) -> String {
        filled(self.form(self.text("time.days"), number), &[("n", &number.to_string())])
    }

    /// The form of a text for a number, from forms separated by bars, in the order of the plural rules of Unicode
    /// (CLDR): one and other, in Arabic one, two, few, many and other.
    fn form(self, text: &'static str, number: u64) -> &'static str {
        let at = match self {
            Self::Ar => match (number, number % 100) {
                (1, _) => 0,
                (2, _) => 1,
                (_, 3..=10) => 2,
                (_, 11..=99) => 3,
                _ => 4,
            },
            Self::Fr => usize::from(number > 1),
            Self::En | Self::De | Self::Es => usize::from(number != 1),
        };
        text.split('|').nth(at).unwrap_or(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_days_are_written_as_each_language_does() {
        for (number, english, french) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1\u{202f}000"),
            (-123_456, "-123,456", "-123\u{202f}456"),
        ] {
            assert_eq!(
                (Language::En.number(number), Language::Fr.number(number)),
                (english.to_owned(), french.to_owned())
            );
        }
        assert_eq!(Language::De.counted(10_000, 10_000), "10.000+");
        assert_eq!(Language::De.counted(9_999, 10_000), "9.999");
        let days = Language::ALL.map(|language| language.day("2027-05-09T00:00:00.000Z"));
        assert_eq!(days, ["May 9", "9. Mai", "9 mai", "9 may", "9 مايو"]);
        for language in Language::ALL {
            assert_eq!(language.text("time.months").split(' ').count(), 12, "{language:?}");
        }
        assert_eq!(Language::En.day("soon"), "soon");
    }

    #[test]
    fn lengths_of_time_are_words_in_the_right_number() {
        let of = |seconds| Language::ALL.map(|language| language.duration(seconds));
        assert_eq!(of(1), ["1 second", "1 Sekunde", "1 seconde", "1 segundo", "ثانية واحدة"]);
        assert_eq!(of(60), ["60 seconds", "60 Sekunden", "60 secondes", "60 segundos", "60 ثانية"]);
        assert_eq!(of(91), ["2 minutes", "2 Minuten", "2 minutes", "2 minutos", "دقيقتين"]);
        assert_eq!(of(180), ["3 minutes", "3 Minuten", "3 minutes", "3 minutos", "3 دقائق"]);
        assert_eq!(of(3600), ["60 minutes", "60 Minuten", "60 minutes", "60 minutos", "60 دقيقة"]);
        assert_eq!(of(86_400), ["24 hours", "24 Stunden", "24 heures", "24 horas", "24 ساعة"]);
        assert_eq!(Language::Ar.duration(7201), "3 ساعات");
        assert_eq!(Language::Ar.duration(100 * 3600), "100 ساعة");
        assert_eq!(Language::Ar.duration(103 * 3600), "103 ساعات");
    }

    // Every form exists, and all but those of one and two contain the number.
    #[test]
    fn every_language_has_all_its_forms() {
        for language in Language::ALL {
            for key in ["time.seconds", "time.minutes", "time.hours"] {
                let forms: Vec<_> = language.text(key).split('|').collect();
                assert_eq!(forms.len(), if language == Language::Ar { 5 } else { 2 }, "{language:?} {key}");
                let last = if language == Language::Ar { 2 } else { 1 };
                assert!(forms[last..].iter().all(|form| form.contains("{n}")), "{language:?} {key}");
            }
        }
    }
}
