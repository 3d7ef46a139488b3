use std::{future::Future, task::Context};

use super::*;

async fn taken(connections: &Arc<Connections>) -> Taken {
    connections.seat(Duration::ZERO).await.expect("a seat")
}

fn is_given_up(taken: &Taken) -> bool {
    taken.seat.lock().is_given_up
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_goes_first_and_a_quiet_one_before_all() {
    let connections = Arc::new(Connections::new(4));
    let [head, body, quiet, work] = [
        taken(&connections).await,
        taken(&connections).await,
        taken(&connections).await,
        taken(&connections).await,
    ];
    work.seat.begin().await.unwrap();
    body.seat.waits_for_body();
    tokio::time::advance(Duration::from_millis(10)).await;
    head.seat.received();
    tokio::time::advance(SLOW).await;
    quiet.seat.received();
    quiet.seat.begin().await.unwrap();
    quiet.seat.answers();
    quiet.seat.flushed();
    // It was answered just now, so the one whose body is waited for is the first that may go.
    let first = taken(&connections).await;
    assert_eq!([&head, &body, &quiet, &work].map(is_given_up), [false, true, false, false]);
    tokio::time::advance(IN_TRANSIT).await;
    let second = taken(&connections).await;
    // Of the two that have said nothing, the older one.
    assert_eq!([&head, &quiet, &first].map(is_given_up), [false, true, false]);
    tokio::time::advance(SLOW).await;
    let third = taken(&connections).await;
    assert_eq!([&head, &work, &first, &second].map(is_given_up), [false, false, true, false]);
    drop((second, third));
    taken(&connections).await;
    assert!(!is_given_up(&head) && !is_given_up(&work));
}

#[tokio::test(start_paused = true)]
async fn a_seat_is_waited_for_and_no_request_begins_on_one_that_is_given_up() {
    let connections = Arc::new(Connections::new(1));
    let first = taken(&connections).await;
    assert!(connections.seat(IN_TRANSIT / 2).await.is_none());
    let began = Instant::now();
    let second = connections.seat(Duration::from_secs(5)).await.unwrap();
    assert_eq!(began.elapsed(), IN_TRANSIT / 2);
    assert_eq!(first.seat.begin().await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    first.seat.overdue(&Bounds::default()).await;
    drop(first);
    // What works is never given up, and its seat is free when it ends.
    second.seat.begin().await.unwrap();
    assert!(connections.seat(Duration::from_secs(60)).await.is_none());
    let waiting = connections.clone();
    let waiting =
        tokio::spawn(async move { waiting.seat(Duration::from_secs(60)).await.is_some() });
    tokio::time::advance(Duration::from_secs(1)).await;
    drop(second);
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn a_request_begins_when_the_answer_before_it_is_out() {
    let seat = Seat::new();
    seat.begin().await.unwrap();
    seat.answers();
    let mut next = std::pin::pin!(seat.begin());
    let mut context = Context::from_waker(Waker::noop());
    assert!(next.as_mut().poll(&mut context).is_pending());
    seat.sent();
    assert!(next.as_mut().poll(&mut context).is_pending());
    seat.flushed();
    assert!(next.as_mut().poll(&mut context).is_ready());
}

#[tokio::test(start_paused = true)]
async fn each_phase_has_its_bound() {
    let bounds = Bounds::default();
    let lasts = async |enter: &dyn Fn(&Seat)| {
        let seat = Seat::new();
        enter(&seat);
        let began = Instant::now();
        let end = tokio::time::timeout(Duration::from_secs(1_000), seat.overdue(&bounds)).await;
        end.ok().map(|()| began.elapsed().as_secs())
    };
    assert_eq!(lasts(&|_| {}).await, Some(10));
    assert_eq!(lasts(&Seat::received).await, Some(10));
    assert_eq!(lasts(&Seat::waits_for_body).await, None);
    assert_eq!(lasts(&Seat::has_body).await, None);
    assert_eq!(lasts(&Seat::answers).await, Some(30));
    let quiet = |seat: &Seat| {
        seat.answers();
        seat.flushed();
    };
    assert_eq!(lasts(&quiet).await, Some(60));
    // A client that takes a little now and then.
    let seat = Seat::new();
    seat.answers();
    let began = Instant::now();
    let taking = async {
        loop {
            tokio::time::sleep(Duration::from_secs(20)).await;
            seat.sent();
        }
    };
    tokio::select! {
        () = seat.overdue(&bounds) => {}
        () = taking => {}
    }
    assert_eq!(began.elapsed().as_secs(), 300);
}
