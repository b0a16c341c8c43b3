//! Finds the users of a page in bounded work.
//!
//! Where an index knows that few users can be meant, all of them are looked at and put in order. Otherwise the list is walked in
//! its order, and a page ends after so many users, however few of them match: the next one continues there.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use super::list::{Between, Common, LOOKED_AT_MAX, Place, Wanted, by_external_id, matching, next, sharing};
use super::{list, search};
use crate::domain::ids::UserId;
use crate::domain::user::{FactorStatus, UserStatus};
use crate::domain::user_list::listed::{ListedUser, UserCount, UserOrder};
use crate::fault::Fault;
use crate::store::Tx;

/// Users looked at together on a walk.
const STEP: i64 = 500;

/// A list of users.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub(crate) wanted: Wanted,
    pub(crate) order: UserOrder,
    /// What was searched for, as it was typed: the user with this id or external id is found, too.
    pub(crate) typed: Option<String>,
}

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) places: Vec<Place>,
    /// The last user looked at, where the list may continue although fewer users were found than wanted.
    pub(crate) end: Option<Place>,
    pub(crate) count: Option<UserCount>,
}

impl Listing {
    /// At most `limit` users after `after`, in order; and, if wanted, how many there are in all.
    pub(crate) fn find(
        &self,
        tx: &mut Tx<'_>,
        after: Option<&Place>,
        limit: usize,
        counted: bool,
    ) -> Result<Found, Fault> {
        let named = self.named(tx)?;
        let rarest = self.rarest(tx)?;
        if let Some(few) = self.few(tx, rarest.as_ref())? {
            let mut all = matching(tx, &few, &self.wanted)?;
            all.extend(named);
            all.sort_by(|one, other| self.compare(one, other));
            let count = UserCount { counted: as_number(all.len()), is_lower_bound: false };
            all.retain(|place| self.is_after(after, place));
            all.truncate(limit);
            return Ok(Found { places: all, end: None, count: counted.then_some(count) });
        }
        let trigram = rarest.map(|(trigram, _)| trigram);
        let count = if counted { Some(self.count(tx, trigram.as_deref(), named.len())?) } else { None };
        let (mut places, end) = self.walk(tx, trigram.as_deref(), after, limit)?;
        places.extend(named.into_iter().filter(|place| {
            self.is_after(after, place) && end.as_ref().is_none_or(|end| !self.is_after(Some(end), place))
        }));
        places.sort_by(|one, other| self.compare(one, other));
        places.truncate(limit);
        Ok(Found { places, end, count })
    }

    /// Which of two users comes first.
    fn compare(&self, one: &Place, other: &Place) -> Ordering {
        let by_sign_in = |place: &Place| (place.signed_in, place.id);
        match self.order {
            UserOrder::Newest => other.id.cmp(&one.id),
            UserOrder::Oldest => one.id.cmp(&other.id),
            UserOrder::Email => one.email_key.cmp(&other.email_key),
            UserOrder::EmailDescending => other.email_key.cmp(&one.email_key),
            UserOrder::LatestSignIn => by_sign_in(other).cmp(&by_sign_in(one)),
            UserOrder::EarliestSignIn => by_sign_in(one).cmp(&by_sign_in(other)),
        }
    }

    fn is_after(&self, after: Option<&Place>, place: &Place) -> bool {
        after.is_none_or(|after| self.compare(after, place) == Ordering::Less)
    }

    /// The users whose id or external id is what was typed, if the text alone does not find them.
    fn named(&self, tx: &mut Tx<'_>) -> Result<Vec<Place>, Fault> {
        let Some(typed) = &self.typed else { return Ok(Vec::new()) };
        let mut ids = Vec::from_iter(typed.parse().ok());
        ids.extend(by_external_id(tx, typed)?);
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = matching(tx, &ids, &self.wanted)?;
        let mut named = matching(tx, &ids, &Wanted { needle: None, ..self.wanted.clone() })?;
        named.retain(|place| !found.iter().any(|found| found.id == place.id));
        Ok(named)
    }

    /// The trigram of the text that the fewest users have, with their number, counted to one more than a page looks at. Where
    /// more have each of them, the one that fewest of the newest users have.
    fn rarest(&self, tx: &mut Tx<'_>) -> Result<Option<(String, i64)>, Fault> {
        let Some(needle) = &self.wanted.needle else { return Ok(None) };
        if !search::is_complete(tx)? {
            return Ok(None);
        }
        let mut rarest: Option<(String, i64)> = None;
        for trigram in needle.trigrams() {
            let least = rarest.as_ref().map_or(LOOKED_AT_MAX + 1, |(_, least)| *least);
            let many = search::count(tx, &trigram, least)?;
            if rarest.is_none() || many < least {
                rarest = Some((trigram, many));
            }
        }
        if rarest.as_ref().is_none_or(|(_, many)| *many <= LOOKED_AT_MAX) {
            return Ok(rarest);
        }
        let reach = |trigram: String| Ok((search::newest_but(tx, &trigram, LOOKED_AT_MAX)?, trigram));
        let reaches = needle.trigrams().into_iter().map(reach).collect::<Result<Vec<_>, Fault>>()?;
        Ok(reaches.into_iter().min().map(|(_, trigram)| (trigram, LOOKED_AT_MAX + 1)))
    }

    /// Everybody who can be meant, if an index knows that they are few.
    fn few(&self, tx: &mut Tx<'_>, rarest: Option<&(String, i64)>) -> Result<Option<Vec<UserId>>, Fault> {
        let wanted = &self.wanted;
        let has_factor = wanted.second_factor.is_some_and(|factor| factor != FactorStatus::None);
        let known = [
            rarest
                .filter(|(_, many)| *many <= LOOKED_AT_MAX)
                .map(|(trigram, _)| Common::Trigram(trigram.clone())),
            (!wanted.signed_in.is_open()).then_some(Common::SignedIn(wanted.signed_in)),
            has_factor.then_some(Common::SomeFactor),
            wanted.role.as_ref().map(|_| Common::SomeRole),
            (wanted.status == Some(UserStatus::Disabled)).then_some(Common::Disabled),
            (!wanted.created.is_open()).then_some(Common::Created(wanted.created)),
        ];
        for common in known.into_iter().flatten() {
            let found = sharing(tx, &common, LOOKED_AT_MAX + 1)?;
            if as_number(found.len()) <= LOOKED_AT_MAX {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// At least `limit` users after `after`, or the last one that was looked at if the list may continue.
    fn walk(
        &self,
        tx: &mut Tx<'_>,
        trigram: Option<&str>,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<(Vec<Place>, Option<Place>), Fault> {
        let step = if self.wanted.is_everything() { as_number(limit) } else { STEP };
        let (mut places, mut at, mut looked_at) = (Vec::new(), after.cloned(), 0);
        while looked_at < LOOKED_AT_MAX {
            let between = Between::created(self.wanted.created);
            let stretch = next(tx, self.order, at.as_ref(), between, trigram, step)?;
            let is_last = as_number(stretch.len()) < step;
            looked_at += step;
            at = stretch.last().cloned().or(at);
            places.extend(self.wanted_of(tx, stretch)?);
            if is_last || places.len() >= limit {
                return Ok((places, None));
            }
        }
        Ok((places, at))
    }

    /// Those of a stretch who are wanted, in its order.
    fn wanted_of(&self, tx: &mut Tx<'_>, mut stretch: Vec<Place>) -> Result<Vec<Place>, Fault> {
        if !self.wanted.is_everything() {
            let ids: Vec<UserId> = stretch.iter().map(|place| place.id).collect();
            let found: HashSet<UserId> =
                matching(tx, &ids, &self.wanted)?.into_iter().map(|place| place.id).collect();
            stretch.retain(|place| found.contains(&place.id));
        }
        Ok(stretch)
    }

    /// How many there are, as far as one page looks; `named` are found in another way.
    fn count(&self, tx: &mut Tx<'_>, trigram: Option<&str>, named: usize) -> Result<UserCount, Fault> {
        if self.wanted.is_everything() {
            let counted = list::count_all(tx, LOOKED_AT_MAX + 1)?;
            return Ok(bounded(counted));
        }
        let (places, end) = self.walk(tx, trigram, None, usize::MAX)?;
        Ok(UserCount { counted: as_number(places.len() + named), is_lower_bound: end.is_some() })
    }
}

/// These users, in this order. Those who are gone meanwhile are left out.
pub(crate) fn in_order(
    tx: &mut Tx<'_>,
    ids: &[UserId],
    with_passkeys: bool,
) -> Result<Vec<ListedUser>, Fault> {
    let read = list::read(tx, ids, with_passkeys)?;
    let mut read: HashMap<UserId, ListedUser> =
        read.into_iter().map(|user| (user.account.id, user)).collect();
    Ok(ids.iter().filter_map(|id| read.remove(id)).collect())
}

/// A number that was counted to one more than a page looks at.
pub(crate) fn bounded(counted: i64) -> UserCount {
    UserCount { counted: counted.min(LOOKED_AT_MAX), is_lower_bound: counted > LOOKED_AT_MAX }
}

fn as_number(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
