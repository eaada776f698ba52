//! The process is killed in the middle of anything.

use crate::{
    farm::{Place, eventually, files},
    film::probe,
    render::long,
};

#[tokio::test]
async fn no_accepted_session_is_lost() {
    // A place that a killed process held is given up fast.
    let lease =
        [("lease.renew", "200ms"), ("lease.soft_stop", "600ms"), ("lease.hard_stop", "800ms"), ("lease.expiry", "1s")];
    let mut place = Place::new(&lease);
    let farm = place.up();
    let speech = long(60);
    let mut asked = Vec::new();
    for _ in 0..5 {
        asked.push(farm.api.accepted(&speech, &[]).await);
    }
    farm.api.rendering(&asked[0]).await;
    farm.api.rendering(&asked[1]).await;
    farm.kill();

    // Again, as soon as one has begun anew.
    let farm = place.up();
    farm.api.rendering(&asked[2]).await;
    farm.kill();

    let farm = place.up();
    for id in &asked {
        let session = farm.api.until(id, "it ends", |s| s["state"] == "ended").await;
        let reason = session["end"]["reason"].as_str().unwrap();
        assert_eq!(reason, "completed", "{session}");
        let film = farm.api.get(&format!("/v1/renders/{id}/result")).await.is(200);
        assert_eq!(session["result"]["bytes"], film.body.len(), "{session}");
        let path = place.path("film.mp4");
        std::fs::write(&path, &film.body).unwrap();
        assert_eq!(probe(&path)["streams"][0]["nb_read_packets"], "1500", "the film is whole");
    }
    let listed = farm.api.get("/v1/sessions?kind=render").await.is(200).json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), asked.len(), "nothing was made twice: {listed}");
    // What the killed processes were writing is not kept.
    for folder in ["blobs/.incoming", "staging", "scratch"] {
        let nothing_left = async || {
            let scraps = files(&place.path(folder)).into_iter().filter(|path| !path.ends_with("lock"));
            (scraps.count() == 0).then_some(())
        };
        eventually(&format!("{folder} is empty"), nothing_left).await;
    }
}
