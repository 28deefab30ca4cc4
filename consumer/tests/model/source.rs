//! The source: calls begin, end, and are looked at again.

use crate::state::{CallId, Content, State};
use crate::steps::Steps;

pub(crate) fn steps(steps: &mut Steps<'_>) {
    let calls = &steps.from.calls;
    for (index, call) in (0..).zip(calls) {
        let index: CallId = index;
        if !call.is_listed {
            if calls[..usize::from(index)].iter().all(|earlier| earlier.is_listed) {
                steps.step("source", index, "is listed", |to| to.call(index).is_listed = true);
            }
            continue;
        }
        match call.content {
            Content::Going => {
                steps.step("source", index, "the call ends", |to| to.call(index).content = Content::Done);
            }
            Content::Done if steps.world.changes => {
                let change = |to: &mut State| to.call(index).content = Content::Changed;
                steps.step("source", index, "its analysis is made anew", change);
            }
            Content::Done | Content::Changed => {}
        }
    }
    if steps.world.has_losses {
        for (index, call) in (1..).zip(&calls[1..]) {
            if !call.is_listed && !calls[..usize::from(index)].iter().all(|earlier| earlier.is_listed) {
                let early = |to: &mut State| to.call(index).is_listed = true;
                steps.fault("source", index, "is listed before one that began earlier", early);
            }
        }
    }
}
