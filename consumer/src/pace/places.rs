//! Permits of which there may be more or fewer while they are held.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    /// How many there are, free or held: more than there should be until enough of them were given back.
    count: usize,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), count }
    }

    /// The next that is free.
    pub(super) fn next(&self) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + use<> {
        Arc::clone(&self.free).acquire_owned()
    }

    /// There shall be so many.
    pub(super) fn resize(&mut self, count: usize) {
        if let Some(more) = count.checked_sub(self.count) {
            self.free.add_permits(more);
            self.count = count;
        } else {
            self.count -= self.free.forget_permits(self.count - count);
        }
    }

    /// Takes one that is held away, if there should be no more than so many.
    pub(super) fn narrow(&mut self, count: usize, held: &mut Option<OwnedSemaphorePermit>) {
        if self.count > count
            && let Some(permit) = held.take()
        {
            permit.forget();
            self.count -= 1;
        }
    }
}
