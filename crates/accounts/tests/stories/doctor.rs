use crate::on_both_stores;
use crate::world::*;

on_both_stores! {
    async fn a_question_of_the_operator_is_answered_once(world: &World) {
        let (command, server) = (world.another_instance().await, &world.accounts);
        let question = command.doctor_question();
        let answer = server.answer_doctor(question.expose()).unwrap();
        assert!(command.is_doctor_answer(&question, answer.expose()));
        assert!(server.answer_doctor(question.expose()).is_none(), "once");
        let other = command.doctor_question();
        assert!(!command.is_doctor_answer(&other, answer.expose()), "the answer to another one");
        assert!(!command.is_doctor_answer(&other, other.expose()) && !command.is_doctor_answer(&other, ""));
    }

    async fn a_question_ends_after_a_minute(world: &World) {
        let accounts = &world.accounts;
        let (first, second) = (accounts.doctor_question(), accounts.doctor_question());
        world.advance(seconds(60));
        assert!(accounts.answer_doctor(first.expose()).is_some());
        world.advance(seconds(1));
        assert!(accounts.answer_doctor(second.expose()).is_none());
    }

    async fn nobody_else_can_ask(world: &World) {
        let accounts = &world.accounts;
        let question = accounts.doctor_question();
        for place in 0..question.expose().len() {
            let mut forged = question.expose().to_owned();
            let other = if forged.as_bytes()[place] == b'A' { "Q" } else { "A" };
            forged.replace_range(place..=place, other);
            assert!(accounts.answer_doctor(&forged).is_none(), "{forged}");
        }
        assert!(accounts.answer_doctor("").is_none());
        assert!(accounts.answer_doctor(&format!("{}A", question.expose())).is_none());
        assert!(accounts.answer_doctor(question.expose()).is_some(), "a forged one uses none up");
    }
}
