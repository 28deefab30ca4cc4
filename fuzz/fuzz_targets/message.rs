//! A message of a stranger, from the bytes of its properties and its body: it is read, named, answered and published
//! again, and nothing but our own headers goes on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::ids::ConversationId;
use shared::job::FetchConversation;
use shared::queue::Message;

// The input: the length of the properties, in two bytes, the properties, the body.
fuzz_target!(|input: &[u8]| {
    let Some((length, rest)) = input.split_first_chunk::<2>() else { return };
    let Some((properties, body)) = rest.split_at_checked(u16::from_be_bytes(*length).into()) else { return };
    let Some(message) = Message::from_wire(body.to_vec(), properties) else { return };

    let name = message.book_id();
    assert!(ConversationId::parse(&name).is_ok(), "the book's name is of the form of an id: {name:?}");
    if let Ok(job) = message.job() {
        assert_eq!(FetchConversation::decode(&job.encode()), Ok(job.clone()), "a job survives");
        assert_eq!(message.conversation_id().as_ref(), Some(&job.conversation_id));
        assert_eq!(Message::new(&job).travelled(), Message::new(&job));
    }
    let epoch = Default::default();
    let answers = [
        message.clone(),
        message.clone().failed("timeout", None, true, epoch),
        message.clone().failed("server_error", Some(503), false, epoch),
        message.clone().replayed(message.replays.saturating_add(1)),
    ];
    for answer in answers {
        assert!(answer.header_names().iter().all(|name| name.starts_with("x-089-")), "only our own headers");
        let arrived = answer.travelled();
        assert!(!arrived.was_moved_by_broker, "what a broker wrote goes no further");
        let mut sent = answer;
        sent.was_moved_by_broker = false;
        assert_eq!(arrived, sent, "it arrives as it was sent");
        assert_eq!(arrived.book_id(), name, "it is booked under one name");
    }
});
