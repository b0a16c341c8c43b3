//! `/admin`: the overview.

mod health;

use std::cmp::Ordering;

use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{DayStats, Stats, StatsPeriod};

use super::chart::{Bar, Chart, Day, HEIGHT, LINE, Tick, WIDTH};
use super::section::{Admin, Asked};
use crate::api::admin::stats::PeriodQuery;
use crate::app::App;
use crate::pages::frame::i18n::Language;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/admin", get(show))
}

/// A chart: the key of its name, and its number for a day.
type Series = (&'static str, fn(&DayStats) -> i64);

const SERIES: [Series; 4] = [
    ("overview.sign_ups", |day| day.sign_ups),
    ("overview.confirmations", |day| day.activations),
    ("overview.sign_ins", |day| day.sign_ins),
    ("overview.failed_sign_ins", |day| day.failed_sign_ins),
];

async fn show(admin: Admin, uri: Uri) -> Result<Response, Problem> {
    let accounts = &admin.visit().accounts;
    let PeriodQuery(period) = Asked::of(&uri).read(accounts.policy())?;
    let stats = accounts.stats(admin.actor(), period).await?;
    let reader = Reader { language: admin.visit().language(), stats: &stats };
    let values = context! {
        waiting => reader.counted(stats.mails_waiting),
        oldest_at => stats.oldest_mail_at.map(|at| at.to_string()),
        waiting_error => stats.waiting_error.as_deref(),
        failed => (stats.mails_failed > 0).then(|| reader.counted(stats.mails_failed)),
        tiles => reader.tiles(),
        period => reader.language.text(last_days(period)),
        periods => reader.periods(period),
        health => health::section(&admin).await?,
        charts => SERIES.map(|series| reader.chart(series)),
        names => SERIES.map(|(name, _)| reader.language.text(name)),
        days => stats.days.iter().map(|day| reader.row(day)).collect::<Vec<_>>(),
        funnel => reader.funnel(),
        width => WIDTH, height => HEIGHT, line => LINE,
    };
    Ok(admin.page("overview", "admin/overview.html", values))
}

/// The name of a period.
const fn last_days(period: StatsPeriod) -> &'static str {
    match period {
        StatsPeriod::Week => "overview.week",
        StatsPeriod::Month => "overview.month",
        StatsPeriod::Quarter => "overview.quarter",
    }
}

/// Its length.
const fn number_of_days(period: StatsPeriod) -> &'static str {
    match period {
        StatsPeriod::Week => "overview.week_short",
        StatsPeriod::Month => "overview.month_short",
        StatsPeriod::Quarter => "overview.quarter_short",
    }
}

/// The numbers, for readers of this language.
struct Reader<'a> {
    language: Language,
    stats: &'a Stats,
}

impl Reader<'_> {
    fn counted(&self, number: i64) -> String {
        self.language.counted(number, self.stats.counted_up_to)
    }

    /// What else the overview can cover.
    fn periods(&self, chosen: StatsPeriod) -> [Value; 3] {
        StatsPeriod::ALL.map(|period| {
            let name = self.language.text(number_of_days(period));
            context! { days => period.days(), name, is_chosen => period == chosen }
        })
    }

    /// The current totals, each linked to its list if there is one.
    fn tiles(&self) -> [Value; 8] {
        let stats = self.stats;
        let without = self.counted(stats.admins_without_second_factor);
        let sessions = self.language.counted(stats.sessions_live, stats.sessions_counted_up_to);
        [
            ("overview.active", self.counted(stats.users_active), "/admin/users?status=active"),
            ("overview.disabled", self.counted(stats.users_disabled), "/admin/users?status=disabled"),
            ("overview.with_factor", self.share_with_factor(), "/admin/users?status=active&amp;second_factor=any"),
            ("overview.admins_without", without, ""),
            ("overview.open", self.counted(stats.registrations_open), "/admin/registrations"),
            ("overview.sessions", sessions, ""),
            ("overview.mails_waiting", self.counted(stats.mails_waiting), "/admin/mail?state=waiting"),
            ("overview.mails_failed", self.counted(stats.mails_failed), "/admin/mail?state=failed"),
        ]
        .map(|(name, number, href)| {
            // These are our own addresses: their slashes need no escaping.
            context! { name => self.language.text(name), number, href => Value::from_safe_string(href.to_owned()) }
        })
    }

    /// The part of the active users that has a second factor. Not all until all have one.
    fn share_with_factor(&self) -> String {
        let share = (self.stats.users_with_second_factor * 100).checked_div(self.stats.users_active);
        self.language.fill("overview.percent", &[("number", &self.language.number(share.unwrap_or(0)))])
    }

    fn chart(&self, (name, of_day): Series) -> Value {
        let (language, days) = (self.language, &self.stats.days);
        let numbers: Vec<i64> = days.iter().map(of_day).collect();
        // In languages read from right to left time runs that way too: the drawing agrees with the page around it.
        let chart = Chart::new(&numbers, language.direction() == "rtl");
        let drawn = chart.bars.into_iter().zip(days).zip(&numbers);
        let bar = |((Bar { x, y, width, height }, day), number): ((Bar, &DayStats), &i64)| {
            context! { x, y, width, height, title => format!("{}: {}", self.day(day), self.counted(*number)) }
        };
        let bars: Vec<Value> = drawn.map(bar).collect();
        let tick = |Tick { y, number }: Tick| context! { y, number => language.number(number) };
        let label = |Day { x, index }: Day| context! { x, name => days.get(index).map(|day| self.day(day)) };
        let most = numbers.iter().zip(days).max_by_key(|(number, _)| **number);
        context! {
            name => language.text(name),
            total => self.total(of_day),
            change => self.change(of_day),
            most => most.map(|(number, _)| self.counted(*number)),
            most_on => most.map(|(_, day)| self.day(day)),
            bars,
            ticks => chart.ticks.into_iter().map(tick).collect::<Vec<_>>(),
            days => chart.days.into_iter().map(label).collect::<Vec<_>>(),
            axis => chart.axis, lines => chart.lines,
        }
    }

    fn day(&self, day: &DayStats) -> String {
        self.language.day(&day.day.to_string())
    }

    /// The total of all days; "at least" if a day was not counted to its end.
    fn total(&self, of_day: fn(&DayStats) -> i64) -> String {
        let cut = self.stats.days.iter().any(|day| of_day(day) >= self.stats.counted_up_to);
        self.language.counted(self.sum(of_day), if cut { 0 } else { i64::MAX })
    }

    fn sum(&self, of_day: fn(&DayStats) -> i64) -> i64 {
        self.stats.days.iter().map(of_day).sum()
    }

    /// How the whole days compare with as many before them. Nothing can be said if there was nothing, or if a day was not
    /// counted to its end.
    fn change(&self, of_day: fn(&DayStats) -> i64) -> Option<String> {
        let (_today, whole) = self.stats.days.split_last()?;
        let all = whole.iter().chain(&self.stats.days_before);
        let is_cut = all.map(of_day).any(|number| number >= self.stats.counted_up_to);
        let [now, before] = [whole, &self.stats.days_before].map(|days| days.iter().map(of_day).sum::<i64>());
        if is_cut || before == 0 {
            return None;
        }
        let percent = ((now - before).abs() * 100 + before / 2) / before;
        let percent = self.language.fill("overview.percent", &[("number", &self.language.number(percent))]);
        let told = |key| self.language.fill(key, &[("percent", &percent)]);
        Some(match now.cmp(&before) {
            Ordering::Less => told("overview.less"),
            Ordering::Equal => self.language.text("overview.same").to_owned(),
            Ordering::Greater => told("overview.more"),
        })
    }

    /// A row of the table.
    fn row(&self, day: &DayStats) -> Value {
        context! { name => self.day(day), numbers => SERIES.map(|(_, of_day)| self.counted(of_day(day))) }
    }

    /// How many of the sign-ups on these days reached each step. Widths are percentages of the largest step.
    fn funnel(&self) -> Vec<Value> {
        let [(_, sign_ups), (_, confirmations), ..] = SERIES;
        let signed_in = self.stats.new_users_signed_in;
        let steps = [
            ("overview.signed_up", self.sum(sign_ups), self.total(sign_ups)),
            ("overview.confirmed", self.sum(confirmations), self.total(confirmations)),
            ("overview.signed_in", signed_in, self.counted(signed_in)),
        ];
        let most = steps.iter().map(|(_, number, _)| *number).max().unwrap_or(0);
        let step = |(name, number, shown): &(&str, i64, String)| {
            let width = (number * 100).checked_div(most).unwrap_or(0);
            let x = if self.language.direction() == "rtl" { 100 - width } else { 0 };
            context! { name => self.language.text(name), number => shown, width, x }
        };
        steps.iter().map(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use vestibule::Timestamp;

    use super::*;

    /// What a chart says of whole days with these numbers of sign-ups, today left out, and of those before.
    fn change(whole: &[i64], before: &[i64], language: Language) -> Option<String> {
        let day = |sign_ups: &i64| DayStats {
            day: Timestamp::from_millis(0),
            sign_ups: *sign_ups,
            activations: 0,
            sign_ins: 0,
            failed_sign_ins: 0,
        };
        let stats = Stats {
            counted_up_to: 10_000,
            users_active: 0,
            users_disabled: 0,
            users_with_second_factor: 0,
            admins_without_second_factor: 0,
            new_users_signed_in: 0,
            registrations_open: 0,
            sessions_live: 0,
            sessions_counted_up_to: 1_000,
            mails_waiting: 0,
            mails_failed: 0,
            oldest_mail_at: None,
            waiting_error: None,
            days: whole.iter().chain([&9_999]).map(day).collect(),
            days_before: before.iter().map(day).collect(),
        };
        Reader { language, stats: &stats }.change(|day| day.sign_ups)
    }

    #[test]
    fn whole_days_are_compared_with_those_before() {
        let english = |whole: &[i64], before: &[i64]| change(whole, before, Language::En).unwrap_or_default();
        assert_eq!(english(&[3, 3], &[2, 2]), "50% more than in the period before");
        assert_eq!(english(&[1, 1], &[2, 1]), "33% less than in the period before");
        assert_eq!(english(&[2, 1], &[1, 2]), "as many as in the period before");
        assert_eq!(english(&[9_000, 9_000], &[1, 0]), "1,799,900% more than in the period before");
        assert!(change(&[3, 3], &[2, 2], Language::De).unwrap().ends_with("% mehr als im Zeitraum davor"));
    }

    // Neither a division by zero nor a comparison with a bound.
    #[test]
    fn what_cannot_be_compared_is_not() {
        assert_eq!(change(&[5, 5], &[0, 0], Language::En), None);
        assert_eq!(change(&[10_000, 5], &[1, 1], Language::En), None);
        assert_eq!(change(&[5, 5], &[1, 10_000], Language::En), None);
    }
}
