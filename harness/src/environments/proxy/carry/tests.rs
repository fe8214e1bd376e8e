//! What becomes of connections over links that are cut, slow, narrow or resetting.

use std::io::ErrorKind;
use std::sync::Arc;

use splitbrain_nemesis::Link;
use splitbrain_nemesis::shaping::{Quality, Share};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;

/// More than the sockets on the way can hold.
const MUCH: usize = 16 << 20;
const SOON: Duration = Duration::from_millis(150);

/// A port that leads through a link there and another back to a listener.
struct Path {
    door: u16,
    target: TcpListener,
    there: Arc<Way>,
    back: Arc<Way>,
}

impl Path {
    fn new() -> Path {
        let (target, port) = loopback::listen().unwrap();
        let (listener, door) = loopback::listen().unwrap();
        let (there, back) = (Arc::new(Way::new()), Arc::new(Way::new()));
        let ways = (there.clone(), back.clone());
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let (there, back) = ways.clone();
                tokio::spawn(async move {
                    connect_through(near, port, Traveller::Connection, &there, &back).await;
                });
            }
        });
        Path { door, target, there, back }
    }

    async fn begin(&self) -> TcpStream {
        loopback::connect(self.door).await.unwrap()
    }

    /// Both ends of a connection that is open.
    async fn pair(&self) -> (TcpStream, TcpStream) {
        let near = self.begin().await;
        (near, self.target.accept().await.unwrap().0)
    }
}

async fn hears(stream: &mut TcpStream) -> Option<u8> {
    timeout(SOON, stream.read_u8()).await.ok().map(|read| read.unwrap())
}

#[tokio::test]
async fn each_direction_obeys_its_own_link_and_what_waited_arrives_after_the_cut() {
    let path = Path::new();
    let (mut near, mut far) = path.pair().await;
    path.there.cut();
    near.write_all(b"ab").await.unwrap();
    far.write_all(b"c").await.unwrap();
    assert_eq!(hears(&mut near).await, Some(b'c'));
    assert_eq!(hears(&mut far).await, None);
    assert_eq!(path.there.stopped(), Some(1));
    assert_eq!(path.back.stopped(), None);
    path.there.open();
    assert_eq!(hears(&mut far).await, Some(b'a'));
    assert_eq!(hears(&mut far).await, Some(b'b'));
    path.back.cut();
    far.write_all(b"d").await.unwrap();
    assert_eq!(hears(&mut near).await, None);
}

#[tokio::test]
async fn a_connection_begun_under_a_cut_is_made_after_it_if_somebody_still_waits() {
    let path = Path::new();
    path.there.cut();
    let (mut patient, mut other) = (path.begin().await, path.begin().await);
    patient.write_all(b"p").await.unwrap();
    other.write_all(b"x").await.unwrap();
    assert!(timeout(SOON, path.target.accept()).await.is_err(), "the cut leaks");
    drop(other);
    path.there.open();
    let (mut far, _) = path.target.accept().await.unwrap();
    assert_eq!(hears(&mut far).await, Some(b'p'));
    assert!(timeout(SOON, path.target.accept()).await.is_err(), "nobody waits for that one");
}

#[tokio::test]
async fn what_was_sent_by_one_who_has_gone_since_is_lost_with_its_connection() {
    let path = Path::new();
    let (mut near, mut far) = path.pair().await;
    path.there.cut();
    near.write_all(b"x").await.unwrap();
    drop(near);
    assert_eq!(hears(&mut far).await, None, "the end is not seen through the cut either");
    path.there.open();
    assert_eq!(far.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn much_arrives_whole_and_ends_arrive() {
    let path = Path::new();
    let (mut near, mut far) = path.pair().await;
    let sent: Vec<u8> = (0..MUCH).map(|at| (at / 7) as u8).collect();
    let copy = sent.clone();
    let sender = tokio::spawn(async move {
        near.write_all(&copy).await.unwrap();
        near.shutdown().await.unwrap();
        near.read_u8().await
    });
    let mut received = Vec::new();
    far.read_to_end(&mut received).await.unwrap();
    assert!(received == sent, "{} bytes arrived", received.len());
    far.write_u8(b'y').await.unwrap();
    assert_eq!(sender.await.unwrap().unwrap(), b'y', "an end of one direction only");
}

#[tokio::test]
async fn where_nobody_listens_a_connection_is_reset() {
    let path = Path::new();
    let Path { door, target, .. } = path;
    drop(target);
    let mut near = loopback::connect(door).await.unwrap();
    let error = timeout(Duration::from_secs(5), near.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

fn shape(way: &Way, quality: Quality) {
    way.shape(Link { from: 0, to: 1 }, Some(quality), 7);
}

#[tokio::test]
async fn a_slow_link_delays_all_that_is_said_once_and_in_order() {
    let path = Path::new();
    let delay = Duration::from_millis(200);
    let slow = Quality { delay_us: 200_000, ..Quality::default() };
    shape(&path.there, slow);
    let begun = Instant::now();
    let mut near = path.begin().await;
    near.write_all(b"ab").await.unwrap();
    let (mut far, _) = path.target.accept().await.unwrap();
    assert!(begun.elapsed() >= delay, "the beginning came after {:?}", begun.elapsed());
    assert_eq!(far.read_u8().await.unwrap(), b'a');
    assert!(begun.elapsed() < 2 * delay, "what was said at once is not late twice");
    let said = Instant::now();
    far.write_all(b"back").await.unwrap();
    assert_eq!(hears(&mut near).await, Some(b'b'));
    assert!(said.elapsed() < delay, "the way back is as good as new");
    assert_eq!(path.back.shaped(), None);
    let shaped = path.there.shaped().unwrap();
    assert!(shaped.shaped.is_some_and(|pieces| pieces >= 2) && shaped.reset.is_none());
    // Several are on their way at once, and none overtakes another.
    shape(&path.there, Quality { jitter_us: 60_000, ..slow });
    let said = Instant::now();
    for number in 0..20 {
        near.write_u8(number).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(far.read_u8().await.unwrap(), b'b');
    for number in 0..20 {
        assert_eq!(far.read_u8().await.unwrap(), number);
    }
    assert!(said.elapsed() < 5 * delay, "{:?}", said.elapsed());
    // Slow no more: what was on its way arrives with what comes now, in its order.
    shape(&path.there, Quality { delay_us: 60_000_000, ..slow });
    near.write_all(b"y").await.unwrap();
    assert_eq!(hears(&mut far).await, None);
    let _beginning = path.begin().await;
    assert!(timeout(SOON, path.target.accept()).await.is_err(), "it is on its way");
    path.there.shape(Link { from: 0, to: 1 }, None, 7);
    timeout(SOON, path.target.accept()).await.unwrap().unwrap();
    near.write_all(b"z").await.unwrap();
    assert_eq!(hears(&mut far).await, Some(b'y'));
    assert_eq!(hears(&mut far).await, Some(b'z'));
}

#[tokio::test]
async fn a_narrow_link_carries_a_stream_as_fast_as_it_can_and_loses_nothing() {
    let path = Path::new();
    let bit_s = std::num::NonZeroU64::new(8_000_000);
    shape(&path.there, Quality { bandwidth_bit_s: bit_s, ..Quality::default() });
    let (mut near, mut far) = path.pair().await;
    let sent: Vec<u8> = (0..400_000_u32).map(|at| (at / 7) as u8).collect();
    let (copy, begun) = (sent.clone(), Instant::now());
    tokio::spawn(async move {
        near.write_all(&copy).await.unwrap();
        near.shutdown().await.unwrap();
        near.read_u8().await
    });
    let mut received = Vec::new();
    far.read_to_end(&mut received).await.unwrap();
    let took = begun.elapsed();
    assert!(received == sent, "{} bytes arrived", received.len());
    // 0.4 MB at 1 MB/s, and headers.
    assert!(took >= Duration::from_millis(400), "{took:?}");
}

#[tokio::test]
async fn a_link_that_resets_ends_connections_at_both_ends_and_counts_them() {
    let path = Path::new();
    let (mut near, mut far) = path.pair().await;
    shape(&path.there, Quality { reset: Share::ALL, ..Quality::default() });
    far.write_all(b"c").await.unwrap();
    assert_eq!(hears(&mut near).await, Some(b'c'), "the way back resets nothing");
    near.write_all(b"d").await.unwrap();
    assert_eq!(far.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(near.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let mut begun = path.begin().await;
    assert_eq!(begun.read_u8().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(path.there.shaped().unwrap().reset, Some(2));
}
