use super::*;
use crate::domain::password::PasswordContext;
use crate::policy::Policy;

fn verify() -> (Work, oneshot::Receiver<Verified>) {
    let (answer, answered) = oneshot::channel();
    let password = Password::new("violet-otter-maps").unwrap();
    (Work::Verify { password, stages: vec![vec![]], answer }, answered)
}

fn judge() -> Judge {
    Policy::default().passwords.judge(PasswordContext { email: None, user_name: None })
}

fn create() -> (Work, oneshot::Receiver<Result<String, PasswordError>>) {
    let (answer, answered) = oneshot::channel();
    let password = Password::new("violet-otter-maps").unwrap();
    (Work::Create { password, judge: judge(), salt: [1; 16], answer }, answered)
}

fn judgement() -> (Work, oneshot::Receiver<Strength>) {
    let (answer, answered) = oneshot::channel();
    let password = Password::new("violet-otter-maps").unwrap();
    (Work::Judge { password, judge: judge(), answer }, answered)
}

// P6: the queue is bounded, and a refusal says when to come back.
#[test]
fn a_full_line_refuses_with_an_honest_wait() {
    let queue = Queue::new(2, 3);
    let kept: Vec<_> = (0..3).map(|_| verify()).map(|(work, rx)| (queue.push(work).unwrap(), rx)).collect();
    let Err(Fault::Overloaded { retry_after }) = queue.push(verify().0) else {
        panic!("the fourth must be refused");
    };
    let wait = FIRST_GUESS * 3 / 2;
    assert!((wait + Duration::from_secs(1)..=wait + Duration::from_secs(3)).contains(&retry_after));
    assert_eq!(kept.len(), 3);
}

#[test]
fn the_line_holds_about_a_second_of_work() {
    assert_eq!(Queue::new(2, 0).capacity(), 80);
}

// P6: a neighbour that takes the processor makes hashes slower, and the queue no longer than a second; threads always
// have work.
#[test]
fn a_line_that_does_not_move_takes_no_more() {
    let queue = Queue::new(2, 100);
    let push = || {
        let (work, answered) = verify();
        queue.push(work).map(|()| answered)
    };
    let mut kept: Vec<_> = (0..3).map(|_| push().unwrap()).collect();
    for waiting in &mut queue.lines().verify {
        waiting.since = Stopwatch::started_before(LONGEST_WAIT * 2);
    }
    kept.push(push().unwrap());
    assert!(matches!(push(), Err(Fault::Overloaded { .. })), "four wait for two threads, and for too long");
    queue.lines().verify.pop_front();
    queue.lines().waiting -= 1;
    kept.push(push().unwrap());
}

#[test]
fn sign_ups_get_one_turn_in_four() {
    let queue = Queue::new(1, 100);
    let _kept: Vec<_> = (0..8).map(|_| verify()).map(|(work, rx)| (queue.push(work).unwrap(), rx)).collect();
    let _also: Vec<_> = (0..8).map(|_| create()).map(|(work, rx)| (queue.push(work).unwrap(), rx)).collect();
    let mut arena = Arena::default();
    let order: String = (0..8)
        .map(|_| match queue.next(&mut arena) {
            Some(Work::Verify { .. }) => 'v',
            _ => 'c',
        })
        .collect();
    assert_eq!(order, "vvvcvvvc");
}

// P6: judgements have a bounded queue of their own, so that neither they nor hashes starve the other.
#[test]
fn judgements_and_hashes_take_turns() {
    let queue = Queue::new(1, 3);
    let _judgements: Vec<_> =
        (0..JUDGEMENTS).map(|_| judgement()).map(|(work, rx)| (queue.push(work).unwrap(), rx)).collect();
    assert!(matches!(queue.push(judgement().0), Err(Fault::Overloaded { .. })));
    let _hashes: Vec<_> =
        (0..3).map(|_| verify()).map(|(work, rx)| (queue.push(work).unwrap(), rx)).collect();
    let mut arena = Arena::default();
    let order: String = (0..8)
        .map(|_| match queue.next(&mut arena) {
            Some(Work::Judge { .. }) => 'j',
            _ => 'h',
        })
        .collect();
    assert_eq!(order, "jhjhjhjj");
}

#[test]
fn work_that_nobody_waits_for_is_not_done() {
    let (work, answered) = verify();
    assert!(!work.is_abandoned());
    drop(answered);
    assert!(work.is_abandoned());
}
