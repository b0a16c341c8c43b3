use crate::on_both_stores;
use crate::world::*;
use vestibule::SendError;

/// What someone can observe who signs up with an address, waits, guesses and asks again: everything but the mail.
async fn observe(world: &World, email: &str, start: vestibule::Timestamp) -> Vec<String> {
    let mut seen = Vec::new();
    let pending = world.signs_up_with(email, OTHER_PASSWORD).await.unwrap();
    let times = [pending.expires_at, pending.resend_after].map(|time| time.since(start));
    seen.push(format!("{:?} {times:?}", pending.methods));
    seen.push(refusal(world.signs_in(email, OTHER_PASSWORD).await));
    seen.push(refusal(world.signs_in(email, "wrong-violet-otter-9").await));
    for _ in 0..4 {
        // A guess that is wrong for both: the real code of the pending sign-up is compared, and differs.
        let guess = if real_code(world, email).as_deref() == Some("1234") { "4321" } else { "1234" };
        seen.push(refusal(world.confirms(email, OTHER_PASSWORD, guess).await));
    }
    world.asks_again(email).await;
    seen.push(refusal(world.confirms(email, OTHER_PASSWORD, "99999").await));
    world.advance(seconds(60));
    world.asks_again(email).await;
    seen.push(refusal(world.confirms(email, OTHER_PASSWORD, "99999").await));
    world.advance(seconds(60));
    seen.push(refusal(world.confirms(email, OTHER_PASSWORD, "99999").await));
    for _ in 0..5 {
        world.signs_up_with(email, OTHER_PASSWORD).await.unwrap();
        seen.push(refusal(world.confirms(email, OTHER_PASSWORD, "99999").await));
        world.advance(seconds(1));
    }
    world.advance(hours(24));
    seen.push(refusal(world.confirms(email, OTHER_PASSWORD, "99999").await));
    seen.push(refusal(world.signs_in(email, OTHER_PASSWORD).await));
    world.take_mails_to(email);
    seen
}

/// Peeks at the mail without taking it, which the observer cannot.
fn real_code(world: &World, email: &str) -> Option<String> {
    let mails = world.take_mails_to(email);
    let mut code = None;
    for mail in mails {
        if let vestibule::MailContent::Confirm { code: Some(digits), .. } = &mail.content {
            code = Some(digits.expose().to_owned());
        }
    }
    code
}

on_both_stores! {
    // S3, second-order effects: mails about a forgotten password must not show in what a sign-up may do.
    async fn forgotten_passwords_use_up_the_mails_of_every_address_alike(world: &World) {
        world.has_account("taken@example.org").await;
        let mut left = Vec::new();
        for email in ["taken@example.org", "free@example.org"] {
            // The one mail of the account's own sign-up.
            if email.starts_with("free") {
                world.accounts.sign_up(wish(email, PASSWORD), &client()).await.unwrap();
            }
            for _ in 0..4 {
                world.advance(seconds(60));
                world.accounts.forgot_password(&address(email), &client()).await.unwrap();
            }
            let mut waiting = 0;
            for n in 0..8 {
                let (own, from) = (format!("{PASSWORD}-{n}"), client_at(&format!("198.51.100.{n}")));
                world.advance(seconds(1200));
                world.accounts.sign_up(wish(email, &own), &from).await.unwrap();
                let (email, own, code) = (address(email), password(&own), "0000".parse().unwrap());
                let guess = world.accounts.confirm_by_code(&email, &own, &code, None, &from).await;
                waiting += i32::from(refusal(guess) != "Refused");
            }
            left.push(waiting);
            world.deliver().await;
            world.take_mails_to(email);
        }
        assert_eq!(left, [5, 5], "ten mails a day, five of them gone");
    }

    // S2, S3, C8: free and taken look alike, second-order effects included.
    async fn a_taken_address_behaves_like_a_free_one(world: &World) {
        world.has_account("taken@example.org").await;
        // The owner's mails of the day count against the address, like those of a pending sign-up.
        world.advance(hours(25));
        let start = world.clock.now();
        let taken = observe(world, "taken@example.org", start).await;
        let start = world.clock.now();
        let free = observe(world, "free@example.org", start).await;
        assert_eq!(taken, free);
        // The account itself is untouched.
        world.signs_in("taken@example.org", PASSWORD).await.unwrap();
    }

    // S2: the owner is informed once a day, at the stored address.
    async fn the_owner_of_a_taken_address_is_told_once_a_day(world: &World) {
        world.has_account("ada@example.org").await;
        for _ in 0..3 {
            world.signs_up_with("ADA@example.org", OTHER_PASSWORD).await.unwrap();
        }
        assert_eq!(world.kinds_to("ada@example.org"), ["already_registered"]);
        // Attempts without a notice do not postpone the next notice.
        world.advance(hours(12));
        world.signs_up_with("ADA@example.org", OTHER_PASSWORD).await.unwrap();
        assert!(world.kinds_to("ada@example.org").is_empty());
        world.advance(hours(12));
        world.signs_up_with("ADA@example.org", OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["already_registered"]);
    }

    // S3: no secret activates a decoy, and its password gives no access.
    async fn a_decoy_never_becomes_a_user(world: &World) {
        world.has_account("ada@example.org").await;
        world.signs_up_with("ada@example.org", OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["already_registered"]);
        assert_eq!(refusal(world.signs_in("ada@example.org", OTHER_PASSWORD).await), "Unconfirmed");
        // Exhausts all codes: with each limit off, tries every combination.
        let eager = world.instance_with(|policy| {
            policy.client_limits = false;
            policy.confirm.guesses_per_code = 5;
            policy.confirm.failures_per_day = i64::MAX;
            policy.confirm.failures_per_month = i64::MAX;
            policy.confirm.failures_per_hour_of_all = i64::MAX;
        }).await;
        for guess in 0..5 {
            let answer = confirm(&eager, "ada@example.org", OTHER_PASSWORD, &format!("{guess:04}")).await;
            assert_eq!(refusal(answer), format!("CodeInvalid {{ attempts_left: {} }}", 4 - guess));
        }
        assert_eq!(refusal(confirm(&eager, "ada@example.org", OTHER_PASSWORD, "0005").await), "CodeExpired");
    }

    // S3: someone who signed up with another's address does not learn what becomes of it.
    async fn strangers_who_signed_up_before_the_owner_learn_nothing(world: &World) {
        let (owned, free) = ("owned@example.org", "free@example.org");
        let (mut proofs, mut letters) = (Vec::new(), Vec::new());
        for email in [owned, free] {
            let (_, proof) = world.accounts.sign_up_in_browser(wish(email, OTHER_PASSWORD), &client()).await.unwrap();
            proofs.push((email, proof));
            world.deliver().await;
            world.take_mails_to(email);
            letters.push(world.signs_up(email).await);
        }
        let observe = async || {
            let mut seen = Vec::new();
            for (email, proof) in &proofs {
                let mut of_one = Vec::new();
                for _ in 0..2 {
                    of_one.push(format!("{:?}", world.accounts.waiting(proof.expose()).await.unwrap()));
                    of_one.push(refusal(world.confirms(email, OTHER_PASSWORD, "99999").await));
                    of_one.push(refusal(world.signs_in(email, OTHER_PASSWORD).await));
                    world.asks_again(email).await;
                }
                world.take_mails_to(email);
                seen.push(of_one.join("\n").replace(owned, free));
            }
            assert_eq!(seen[0], seen[1]);
        };
        observe().await;
        world.clicks(&letters[0].token(), Some(PASSWORD)).await.unwrap();
        observe().await;
        world.advance(hours(1));
        observe().await;
        // There is room for one more beside the owner's; the next displaces the stranger's.
        for password in ["third-violet-otter-3", "fourth-violet-otter-4"] {
            for email in [owned, free] {
                world.signs_up_with(email, password).await.unwrap();
            }
            observe().await;
        }
        world.deletes(owned).await;
        observe().await;
        world.advance(hours(24));
        observe().await;
    }

    // S3: anyone can sign up with an address whose mail is deferred or refused. That must not delay decoys' mails.
    async fn what_becomes_of_one_mail_says_nothing_of_others(world: &World) {
        world.has_account("taken@example.org").await;
        world.signs_up_with("taken@example.org", OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("taken@example.org"), ["already_registered"]);
        for error in [SendError::Deferred("450 no such domain".into()), SendError::Permanent("550 unknown".into())] {
            world.mailbox.fails(error);
            world.signs_up_with("nobody@example.org", PASSWORD).await.unwrap();
            assert!(!world.accounts.is_mail_down());
            world.signs_up_with("taken@example.org", OTHER_PASSWORD).await.unwrap();
            world.mailbox.works_again();
            world.advance(seconds(60));
            let guess = world.confirms("taken@example.org", OTHER_PASSWORD, "99999").await;
            assert_eq!(refusal(guess), "CodeExpired", "it was handed over, as far as anybody can see");
        }
        world.take_mails_to("nobody@example.org");
        world.deliver().await;
        world.take_mails_to("nobody@example.org");
    }

    // S3: a mail that is refused during an outage does not let decoys' mails pass.
    async fn a_refused_address_does_not_hide_an_outage(world: &World) {
        world.has_account("taken@example.org").await;
        world.signs_up_with("taken@example.org", OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("taken@example.org"), ["already_registered"]);
        world.mailbox.fails(SendError::Temporary("down".into()));
        world.signs_up_with("free@example.org", OTHER_PASSWORD).await.unwrap();
        world.mailbox.fails(SendError::Permanent("cannot be written".into()));
        world.signs_up_with("odd@example.org", PASSWORD).await.unwrap();
        world.mailbox.fails(SendError::Temporary("down".into()));
        world.signs_up_with("taken@example.org", OTHER_PASSWORD).await.unwrap();
        world.advance(seconds(60));
        for email in ["free@example.org", "taken@example.org"] {
            let guess = confirm(&world.accounts, email, OTHER_PASSWORD, "99999").await;
            assert_eq!(refusal(guess), "CodeInvalid { attempts_left: 2 }");
        }
        world.mailbox.works_again();
        world.deliver().await;
        world.letter_to("free@example.org");
    }

    // While mail is stuck, a decoy's mail is stuck as well: its code does not expire before a real one's would.
    async fn decoys_share_the_outage_of_real_mail(world: &World) {
        world.has_account("taken@example.org").await;
        world.signs_up_with("taken@example.org", OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("taken@example.org"), ["already_registered"]);
        world.mailbox.fails(SendError::Temporary("down".into()));
        for email in ["free@example.org", "taken@example.org"] {
            world.signs_up_with(email, "third-violet-otter-3").await.unwrap();
        }
        world.advance(seconds(29));
        for email in ["free@example.org", "taken@example.org"] {
            let guess = world.confirms(email, "third-violet-otter-3", "99999").await;
            assert_eq!(refusal(guess), "CodeInvalid { attempts_left: 2 }");
        }
        world.mailbox.works_again();
        world.advance(hours(1));
        world.deliver().await;
        for email in ["free@example.org", "taken@example.org"] {
            let guess = world.confirms(email, "third-violet-otter-3", "99999").await;
            assert_eq!(refusal(guess), "CodeInvalid { attempts_left: 2 }");
        }
        world.letter_to("free@example.org");
    }
}
