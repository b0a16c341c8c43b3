//! How many connections there may be at a time. The number can change while they are open: fewer end none of them, and a
//! connection that ends then makes no room until they are few enough.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A slot for each connection there may be. All clones are the same slots.
#[derive(Clone, Debug)]
pub(crate) struct Slots(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    free: Arc<Semaphore>,
    number: Mutex<Number>,
}

#[derive(Debug)]
struct Number {
    most: usize,
    /// Taken ones beyond those there may be; they are gone once they are given back.
    surplus: usize,
}

impl Slots {
    pub(crate) fn new(most: usize) -> Self {
        let most = possible(most);
        let number = Mutex::new(Number { most, surplus: 0 });
        Self(Arc::new(Shared { free: Arc::new(Semaphore::new(most)), number }))
    }

    /// A slot, as soon as one is free. `None`: there will be none.
    pub(crate) async fn take(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.0.free).acquire_owned().await.ok()?;
        Some(Slot { permit: Some(permit), of: Arc::clone(&self.0) })
    }

    /// From now on there are so many.
    pub(crate) fn resize(&self, most: usize) {
        let most = possible(most);
        let mut number = self.0.number.lock().unwrap_or_else(PoisonError::into_inner);
        let more = most.saturating_sub(number.most);
        let fewer = number.most.saturating_sub(most);
        let kept = more.min(number.surplus);
        self.0.free.add_permits(more - kept);
        number.surplus = number.surplus - kept + fewer - self.0.free.forget_permits(fewer);
        number.most = most;
    }

    /// How many there may be.
    pub(crate) fn most(&self) -> usize {
        self.0.number.lock().unwrap_or_else(PoisonError::into_inner).most
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        let number = self.0.number.lock().unwrap_or_else(PoisonError::into_inner);
        (number.most + number.surplus).saturating_sub(self.0.free.available_permits())
    }
}

const fn possible(most: usize) -> usize {
    if most < Semaphore::MAX_PERMITS { most } else { Semaphore::MAX_PERMITS }
}

/// Taken until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    of: Arc<Shared>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut number = self.of.number.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permit) = self.permit.take()
            && number.surplus > 0
        {
            number.surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    /// A slot, if one is free now.
    async fn now(slots: &Slots) -> Option<Slot> {
        tokio::select! {
            biased;
            slot = pin!(slots.take()) => slot,
            () = std::future::ready(()) => None,
        }
    }

    #[tokio::test]
    async fn fewer_slots_end_nothing_and_come_back_one_by_one() {
        let slots = Slots::new(3);
        let mut taken =
            vec![now(&slots).await.unwrap(), now(&slots).await.unwrap(), now(&slots).await.unwrap()];
        assert!(now(&slots).await.is_none());
        slots.resize(1);
        assert_eq!((slots.most(), slots.taken()), (1, 3));
        taken.truncate(1);
        assert_eq!((slots.taken(), now(&slots).await.is_none()), (1, true));
        taken.clear();
        let last = now(&slots).await.unwrap();
        assert!(now(&slots).await.is_none());

        // More again, while there is still one too many.
        slots.resize(2);
        let other = now(&slots).await.unwrap();
        slots.resize(1);
        slots.resize(2);
        assert_eq!((slots.taken(), now(&slots).await.is_none()), (2, true));
        drop(last);
        let third = now(&slots).await.unwrap();
        drop((other, third));
        assert_eq!((slots.most(), slots.taken()), (2, 0));
        slots.resize(usize::MAX);
        assert_eq!(slots.most(), Semaphore::MAX_PERMITS);
    }
}
