//! `/admin`: the overview.

mod health;

use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{DayStats, Stats};

use super::chart::{Bar, Chart, Day, HEIGHT, LINE, Tick, WIDTH};
use super::section::Admin;
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

async fn show(admin: Admin) -> Result<Response, Problem> {
    let stats = admin.visit().accounts.stats(admin.actor()).await?;
    let reader = Reader { language: admin.visit().language(), stats: &stats };
    let values = context! {
        waiting => reader.counted(stats.mails_waiting),
        oldest_at => stats.oldest_mail_at.map(|at| at.to_string()),
        waiting_error => stats.waiting_error.as_deref(),
        failed => (stats.mails_failed > 0).then(|| reader.counted(stats.mails_failed)),
        tiles => reader.tiles(),
        health => health::section(&admin).await?,
        charts => SERIES.map(|series| reader.chart(series)),
        names => SERIES.map(|(name, _)| reader.language.text(name)),
        days => stats.days.iter().map(|day| reader.row(day)).collect::<Vec<_>>(),
        funnel => reader.funnel(),
        width => WIDTH, height => HEIGHT, line => LINE,
    };
    Ok(admin.page("overview", "admin/overview.html", values))
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

    /// A row of the table.
    fn row(&self, day: &DayStats) -> Value {
        context! { name => self.day(day), numbers => SERIES.map(|(_, of_day)| self.counted(of_day(day))) }
    }

    /// How many of the last 30 days' sign-ups reached each step. Widths are percentages of the largest step.
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
