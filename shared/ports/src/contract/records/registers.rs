//! Avatars, keys, prices.

use super::super::sample::{at, key as blob};
use super::{Subject, create, found};
use crate::records::{ApiKey, Avatar};
use mouthpiece_domain::cost::Price;
use mouthpiece_domain::ids::{AvatarId, KeyId, SessionId};

fn avatar(id: u128) -> Avatar {
    Avatar {
        id: AvatarId(id),
        key: KeyId(1),
        name: "Zoë's \"face\"".into(),
        content: format!("{id:064x}"),
        portrait: blob("uploads/ab/portrait.png"),
        media_type: "image/png".into(),
        bytes: 20_000_000_000,
        face: None,
        prepared_by: SessionId(id + 1000),
        created: at(5),
        used: at(5),
    }
}

fn key(id: u128) -> ApiKey {
    ApiKey {
        id: KeyId(id),
        name: "für Ä".into(),
        secret_hash: format!("{id:064x}"),
        scopes: vec!["sessions".into(), "reports".into()],
        max_open: u32::MAX,
        minutes_per_day: Some(600),
        created: at(7),
        revoked: None,
    }
}

pub(super) async fn an_avatar_comes_back_as_it_was_added(records: Subject) {
    rule!(records.avatar(AvatarId(1)).await.unwrap(), None, "what was not added is not there");
    let named = Avatar { face: Some(3), name: String::new(), ..avatar(u128::MAX >> 1) };
    for one in [avatar(1), named] {
        rule!(records.add_avatar(&one).await.unwrap(), one, "a new avatar is added");
        rule!(records.avatar(one.id).await.unwrap(), Some(one), "an avatar comes back as it was added");
    }
    rule!(records.prepare_again(AvatarId(1), SessionId(7)).await, Ok(()), "an avatar is prepared again");
    let wanted = Avatar { prepared_by: SessionId(7), ..avatar(1) };
    rule!(records.avatar(AvatarId(1)).await.unwrap(), Some(wanted), "preparing again changes who prepares it, no more");
}

pub(super) async fn a_portrait_is_registered_once_a_caller(records: Subject) {
    let first = avatar(1);
    records.add_avatar(&first).await.unwrap();
    let again = Avatar { id: AvatarId(2), name: "another".into(), prepared_by: SessionId(9), ..first.clone() };
    for _ in 0..2 {
        rule!(records.add_avatar(&again).await.unwrap(), first, "of the same content and face the first is returned");
    }
    rule!(records.avatar(AvatarId(2)).await.unwrap(), None, "a portrait that is registered is not written again");
    let later = Avatar { used: at(50), ..again.clone() };
    let used = Avatar { used: at(50), ..first.clone() };
    for one in [later, again] {
        rule!(records.add_avatar(&one).await.unwrap(), used, "registering again is a use, and nothing else changes");
    }
    let first = used;
    let different = [
        Avatar { id: AvatarId(3), key: KeyId(2), ..first.clone() },
        Avatar { id: AvatarId(4), face: Some(1), ..first.clone() },
        Avatar { id: AvatarId(5), face: Some(2), ..first.clone() },
        Avatar { id: AvatarId(6), content: "f".repeat(64), ..first.clone() },
    ];
    for one in different {
        rule!(records.add_avatar(&one).await.unwrap(), one, "another caller, face or content is another avatar");
    }
    let same_face = Avatar { id: AvatarId(7), face: Some(2), ..first.clone() };
    rule!(records.add_avatar(&same_face).await.unwrap().id, AvatarId(5), "a named face is registered once too");
    // At once: one is registered, all are told so.
    let tries: Vec<_> = (100..108u128)
        .map(|id| {
            let records = records.clone();
            let one = Avatar { id: AvatarId(id), content: "e".repeat(64), ..first.clone() };
            tokio::spawn(async move { records.add_avatar(&one).await.unwrap().id })
        })
        .collect();
    let mut told = Vec::new();
    for one in tries {
        told.push(one.await.unwrap());
    }
    rule!(told.iter().all(|id| *id == told[0]), true, "of 8 at once one is registered and all are told so: {told:?}");
}

pub(super) async fn an_avatar_is_taken_for_a_session(records: Subject) {
    rule!(records.use_avatar(AvatarId(1), at(6)).await, Ok(None), "what is not there is not taken");
    records.add_avatar(&avatar(1)).await.unwrap();
    records.add_avatar(&avatar(2)).await.unwrap();
    for (when, used) in [(9, 9), (4, 9), (12, 12)] {
        let wanted = Avatar { used: at(used), ..avatar(1) };
        let taken = records.use_avatar(AvatarId(1), at(when)).await.unwrap();
        rule!(taken.as_ref(), Some(&wanted), "an avatar that is taken was used then, or later");
        rule!(records.avatar(AvatarId(1)).await.unwrap(), Some(wanted), "a use is kept");
    }
    rule!(records.avatar(AvatarId(2)).await.unwrap(), Some(avatar(2)), "a use touches no other");
}

pub(super) async fn an_upload_is_known_by_its_content(records: Subject) {
    let (content, other) = ("a".repeat(64), "b".repeat(64));
    let first = records.use_upload(&content, &blob("uploads/aa/1"), at(1)).await;
    rule!(first, Ok(blob("uploads/aa/1")), "a new upload lies where the caller puts it");
    let again = records.use_upload(&content, &blob("uploads/aa/2"), at(2)).await;
    rule!(again, Ok(blob("uploads/aa/1")), "an upload of the same content lies where the first does");
    let other = records.use_upload(&other, &blob("uploads/bb/1"), at(2)).await;
    rule!(other, Ok(blob("uploads/bb/1")), "another content lies elsewhere");
}

pub(super) async fn avatars_are_listed_newest_first(records: Subject) {
    rule!(records.avatars(None, 500).await.unwrap(), vec![], "there are no avatars at first");
    for id in [5, 1, 4, 2, 3u128] {
        records.add_avatar(&Avatar { key: KeyId(id % 2), ..avatar(id) }).await.unwrap();
    }
    for (key, limit, wanted) in [
        (None, 500, vec![5, 4, 3, 2, 1]),
        (None, 2, vec![5, 4]),
        (Some(1), 500, vec![5, 3, 1]),
        (Some(1), 1, vec![5]),
        (Some(0), 500, vec![4, 2]),
        (Some(9), 500, vec![]),
    ] {
        let found: Vec<_> = records.avatars(key.map(KeyId), limit).await.unwrap().iter().map(|a| a.id.0).collect();
        rule!(found, wanted, "avatars of key {key:?}, at most {limit}, newest first");
    }
}

pub(super) async fn an_avatar_is_forgotten(records: Subject) {
    rule!(records.remove_avatar(AvatarId(1)).await, Ok(false), "what is not there is not removed");
    records.add_avatar(&avatar(1)).await.unwrap();
    records.add_avatar(&avatar(2)).await.unwrap();
    create(&records, [1]).await;
    rule!(records.remove_avatar(AvatarId(1)).await, Ok(true), "an avatar is removed");
    rule!(records.avatar(AvatarId(1)).await.unwrap(), None, "what is removed is gone");
    rule!(records.remove_avatar(AvatarId(1)).await, Ok(false), "an avatar is removed once");
    rule!(records.avatars(None, 500).await.unwrap(), vec![avatar(2)], "removing touches no other");
    rule!(found(&records, 1).await.avatar, AvatarId(1), "sessions keep the id of a removed avatar");
    let new = Avatar { id: AvatarId(3), content: avatar(1).content, ..avatar(3) };
    rule!(records.add_avatar(&new).await.unwrap(), new, "a removed portrait may be registered again");
}

pub(super) async fn keys_come_back_as_they_were_added(records: Subject) {
    rule!(records.keys().await.unwrap(), vec![], "there are no keys at first");
    let bounded = ApiKey { minutes_per_day: None, scopes: vec![], max_open: 0, ..key(2) };
    let revoked = ApiKey { revoked: Some(at(9)), minutes_per_day: Some(0), ..key(3) };
    for one in [&revoked, &key(1), &bounded] {
        rule!(records.add_key(one).await, Ok(()), "a key is added");
        rule!(
            records.key_by_hash(&one.secret_hash).await.unwrap().as_ref(),
            Some(one),
            "a key is found by its secret's hash"
        );
    }
    rule!(records.keys().await.unwrap(), vec![key(1), bounded, revoked], "all keys are listed, oldest first");
    for unknown in ["", "0", &"F".repeat(64), "%"] {
        rule!(records.key_by_hash(unknown).await.unwrap(), None, "no key has the hash '{unknown}'");
    }
}

pub(super) async fn a_key_is_revoked_once(records: Subject) {
    records.add_key(&key(1)).await.unwrap();
    records.add_key(&key(2)).await.unwrap();
    rule!(records.revoke_key(KeyId(3), at(10)).await, Ok(false), "a key that is not there is not revoked");
    rule!(records.revoke_key(KeyId(1), at(10)).await, Ok(true), "a key is revoked");
    rule!(records.revoke_key(KeyId(1), at(20)).await, Ok(false), "a revoked key is not revoked again");
    let wanted = ApiKey { revoked: Some(at(10)), ..key(1) };
    let found = records.key_by_hash(&wanted.secret_hash).await.unwrap();
    rule!(found.as_ref(), Some(&wanted), "a revoked key is still found, with when it was revoked first");
    rule!(records.keys().await.unwrap(), vec![wanted, key(2)], "revoking touches no other key");
}

pub(super) async fn prices_replace(records: Subject) {
    let price = |instance_type: &str, from: i64, micro_usd_per_hour: u64| Price {
        instance_type: instance_type.into(),
        from: at(from),
        micro_usd_per_hour,
    };
    rule!(records.prices().await.unwrap(), vec![], "there are no prices at first");
    rule!(records.add_prices(&[]).await, Ok(()), "no prices are added");
    let some = [price("b", 1, 10), price("a", 2, 20), price("a", 1, 30), price("a", 1, 35)];
    rule!(records.add_prices(&some).await, Ok(()), "prices are added");
    let wanted = vec![price("a", 1, 35), price("a", 2, 20), price("b", 1, 10)];
    rule!(records.prices().await.unwrap(), wanted, "prices are listed by instance type and start; the later replaces");
    records.add_prices(&[price("a", 2, 0), price("c", 0, 157_000)]).await.unwrap();
    let wanted = vec![price("a", 1, 35), price("a", 2, 0), price("b", 1, 10), price("c", 0, 157_000)];
    rule!(records.prices().await.unwrap(), wanted, "a price of the same type and start replaces, others stay");
}

pub(super) async fn it_can_be_used(records: Subject) {
    for _ in 0..3 {
        rule!(records.check().await, Ok(()), "a store that works passes its check");
    }
    rule!(records.open_sessions().await.unwrap(), vec![], "a check leaves nothing behind");
}
