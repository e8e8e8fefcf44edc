//! Which paragraph has which test. Sections are the paper's, with a D the dissertation's. What has no line is not tested, or
//! not implemented: 5.2 to 5.4 of the dissertation (other ways to compact), the keep-alive requests of idle clients (6.3).
//!
//! ```text
//! 5.1: terms
//!   election::a_candidate_of_the_past_is_told_the_term
//!   election::a_deposed_leader_leaves_nobody_waiting
//!   election::the_flaw_forgets_waiting_clients_says_nothing
//!   replication::a_leader_of_the_past_is_told_the_term
//!   replication::an_acknowledgement_of_another_term_counts_for_nothing
//! 5.2: elections
//!   election::a_node_votes_once_a_term
//!   election::a_candidate_votes_for_itself_first
//!   election::a_majority_of_distinct_votes_elects
//!   election::a_candidate_follows_a_leader_of_its_term
//!   election::only_a_leader_or_a_vote_puts_the_election_off
//!   election::a_cluster_of_one_elects_itself_and_serves
//!   election::a_leader_cut_off_is_replaced_and_follows_when_it_comes_back
//!   election::the_flaw_candidate_grants_vote_elects_two
//!   election.txt
//! 5.3: replication
//!   replication::a_gap_or_another_term_is_refused
//!   replication::a_late_short_message_cuts_nothing
//!   replication::a_conflict_replaces_the_tail
//!   replication::commit_stops_at_what_is_verified_and_never_falls
//!   replication::the_flaw_commit_goes_back_believes_an_old_message
//!   replication::a_write_is_answered_when_a_majority_has_it
//!   replication::a_stale_acknowledgement_is_ignored
//! 5.3, end: going back faster
//!   replication::a_leader_goes_back_a_term_at_a_time
//!   replication::a_leader_with_the_same_term_goes_back_to_its_own_last_entry_of_it
//!   replication::going_back_ends_where_the_logs_agree
//!   replication::a_stale_refusal_is_ignored
//!   figure-7.txt
//! 5.4.1: the up-to-date check
//!   election::a_shorter_or_older_log_gets_no_vote
//!   election::the_flaw_vote_by_length_forgets_how_late_a_log_ends
//! 5.4.2, figure 8: entries of earlier terms
//!   replication::figure_8
//!   figure-8.txt
//! 5.5, figure 2: crashes; what is on disk before what is said
//!   election::a_vote_is_on_disk_before_it_is_heard
//!   election::a_vote_survives_a_restart
//!   vote-and-power.txt
//!   replication::a_follower_writes_before_it_acknowledges
//!   replication::the_flaw_ack_before_fsync_does_not_wait
//!   replication::a_restart_replays_the_journal_and_cuts_a_torn_tail
//! 6; 4.1: the latest membership counts
//!   membership::the_latest_membership_in_the_log_counts_until_it_is_cut
//!   membership::a_membership_survives_a_restart
//!   membership::requests_are_served_whoever_asks
//!   membership::who_has_no_say_does_not_stand
//! 6; 4.3: joint consensus
//!   membership::a_joint_membership_is_committed_by_both_majorities
//!   membership::a_joint_membership_elects_by_both_majorities
//!   membership::the_next_leader_finishes_the_change
//!   membership::one_change_at_a_time
//!   membership::members_come_and_go
//!   joint-consensus.txt
//! 7; figure 13: snapshots
//!   snapshots::rule_1_a_leader_of_the_past_installs_nothing
//!   snapshots::rules_2_to_4_pieces_are_put_together_in_order
//!   snapshots::rule_5_the_last_piece_makes_it_ours
//!   snapshots::rule_6_what_follows_is_kept
//!   snapshots::rule_7_a_log_that_disagrees_is_dropped
//!   snapshots::rule_8_state_and_members_are_the_snapshots
//!   snapshots::a_leader_sends_a_snapshot_when_it_must
//! 7: snapshots late, lost, interrupted
//!   snapshots::a_leader_sends_piece_by_piece
//!   snapshots::a_newer_snapshot_does_not_spoil_one_under_way
//!   snapshots::an_older_snapshot_takes_nothing_back
//!   snapshots::a_candidate_takes_a_snapshot
//!   snapshots::a_crash_while_it_is_written_leaves_the_one_or_the_other
//!   snapshots::a_restart_in_the_middle_begins_again
//!   snapshots::a_snapshot_answers_reads_that_waited_for_it
//!   snapshot-in-pieces.txt
//!   stale-snapshot.txt
//! 8; 6.4: a leader begins with a no-op
//!   election::a_new_leader_appends_a_no_op_and_announces_itself
//! D 3.8: what a server must not forget
//!   membership::who_lost_its_disk_says_nothing_under_its_name
//!   membership::the_flaw_rejoins_empty_votes_again
//!   disk::a_spoilt_record_is_no_torn_tail
//!   disk::any_error_of_the_disk_stops_it
//! D 3.10: handing over
//!   transfer::a_leader_that_hands_over_takes_nothing_new_on
//!   transfer::the_target_is_told_when_it_has_everything
//!   transfer::the_target_stands_at_once
//!   transfer::a_transfer_that_takes_too_long_is_given_up
//!   transfer::only_another_voter_can_be_handed_the_lead
//!   transfer::a_late_word_of_an_earlier_leader_is_ignored
//!   transfer::leadership_moves_and_nothing_is_lost
//!   leader-transfer.txt
//! D 4.1, correction of 2015: one server at a time
//!   membership::single_server_changes_move_one
//!   membership::own_term_first
//!   single-server-2015.txt
//! D 4.2.1: catching up
//!   membership::a_new_member_gets_the_log_and_does_not_count
//!   membership::a_new_member_votes_after_a_round_that_was_short
//!   membership::a_new_member_that_never_catches_up_is_given_up
//!   membership::a_new_member_that_is_not_there_is_given_up
//! D 4.2.2: the leader leaves
//!   membership::a_removed_leader_steps_down_when_that_is_committed
//!   membership::who_is_being_removed_may_still_be_needed
//!   membership::the_last_of_two_cannot_win_without_the_entry
//! D 4.2.3: disruptive servers
//!   membership::a_removed_server_disturbs_nobody
//!   election::who_hears_a_leader_ignores_candidates
//!   election::without_check_quorum_a_candidate_is_heard
//!   transfer::voters_heed_a_candidate_that_stands_by_order
//! D 5.1: taking snapshots
//!   snapshots::a_follower_takes_a_snapshot_of_what_is_committed
//!   snapshots::a_snapshot_carries_the_members_as_of_its_last_entry
//!   snapshots::a_restart_begins_with_the_snapshot
//!   snapshots::the_entry_behind_a_snapshot_is_checked_against_it
//!   snapshots::a_new_member_comes_by_snapshot
//! D 6.2: finding the leader
//!   election::a_leader_that_hears_nobody_steps_down
//!   election::a_leader_that_hears_a_majority_stays
//!   election::the_flaw_no_quorum_check_leads_for_ever
//! D 6.3: sessions
//!   sessions::without_a_session_a_repetition_is_done_again
//!   sessions::in_a_session_a_repetition_is_answered_as_before
//!   sessions::the_flaw_no_sessions_does_it_again
//!   sessions::a_session_is_opened_by_an_entry_and_named_after_it
//!   sessions::another_leader_knows_what_was_done
//!   sessions::requests_of_a_session_may_overtake_each_other
//!   sessions::what_the_client_has_settled_is_forgotten_and_not_done_late
//!   sessions::an_unused_session_is_closed_and_the_client_told
//!   sessions::a_session_nobody_opened_is_closed
//!   sessions::system_time_is_the_leaders_and_never_falls
//!   sessions::replicas_close_sessions_at_the_same_entry
//!   sessions::a_snapshot_remembers_what_was_done
//!   sessions::the_flaw_snapshot_without_sessions_forgets
//!   session-retry.txt
//! D 6.4: reads
//!   reads::a_read_asks_a_majority_first
//!   reads::a_message_of_an_earlier_reign_confirms_no_round
//!   reads::a_refusal_of_entries_confirms_the_leader_too
//!   reads::a_read_waits_for_an_entry_of_the_leaders_term
//!   reads::late_reads_share_the_next_round
//!   reads::a_heartbeat_repeats_the_round
//!   reads::in_mode_log_a_read_is_an_entry
//!   reads::in_mode_local_any_node_answers
//!   reads::the_flaw_read_without_quorum_answers_at_once
//! D 6.4, end: reads at followers
//!   reads::a_follower_asks_the_leader_and_answers_itself
//!   reads::a_leader_gives_out_a_read_index_when_a_majority_has_confirmed_it
//!   reads::a_follower_that_loses_its_leader_sends_its_readers_away
//!   reads::questions_of_another_life_are_not_answered
//! D 6.4.1: leases
//!   leases::under_a_lease_a_read_is_answered_at_once
//!   leases::a_lease_is_counted_from_when_the_heartbeat_was_sent
//!   leases::the_flaw_lease_ignores_drift_holds_it_too_long
//!   leases::the_flaw_lease_by_wall_clock_can_be_set_back
//!   leases::a_lease_needs_a_majority
//!   leases::a_lease_is_of_no_use_before_the_no_op_is_committed
//!   leases::heartbeats_extend_the_lease
//!   leases::a_voter_that_restarts_keeps_its_promise
//!   leases::a_promise_outlives_the_term_it_was_given_in
//!   leases::a_leader_that_restarts_has_no_lease
//!   lease-and-restart.txt
//!   lease-and-late-refusal.txt
//!   transfer::a_lease_ends_with_the_word_and_does_not_come_back
//! D 9.3: timeouts
//!   election::timeouts_differ_each_time
//! D 9.6: pre-vote
//!   election::a_pre_vote_changes_nothing
//!   election::a_node_cut_off_keeps_its_term
//!   election::a_refused_pre_vote_teaches_the_term
//!   election::a_node_that_stands_forgets_its_leader
//! D 10.2.1: the leader's disk
//!   disk::a_parallel_leader_sends_while_it_writes
//!   disk::its_own_copy_counts_when_its_disk_has_it
//!   disk::the_flaw_counts_unflushed_does_not_wait
//!   disk::a_majority_of_followers_commits_without_the_leaders_disk
//!   disk::a_former_leader_acknowledges_nothing_that_is_not_on_its_disk
//!   disk::an_earlier_reigns_write_does_not_count
//!   disk::a_leader_alone_waits_for_its_disk
//!   disk::a_leader_left_alone_waits_for_its_disk
//!   disk::a_leader_no_longer_alone_waits_for_what_it_wrote_alone
//! D 10.2.2: batches and pipelines
//!   flow::the_window_bounds_what_is_under_way
//!   flow::a_broken_stream_goes_on_more_slowly
//!   flow::a_batch_bounds_a_message
//!   flow::a_question_keeps_within_the_window
//!   flow::after_a_refusal_one_question_at_a_time
//!   flow::an_old_acknowledgement_answers_no_question
//!   flow::a_heartbeat_notices_what_was_lost
//!   flow::the_flaw_stale_reject_lowers_next_goes_back
//!   flow::answers_travel_as_questions_do
//!   replication::a_pipeline_that_lost_a_message_is_resumed
//!   replication::a_follower_far_behind_is_fed_in_portions
//! ```

use std::collections::BTreeSet;

const TABLE: &str = include_str!("paper.rs");

/// By theme, the tests that the table is to name.
const THEMES: [(&str, &str); 10] = [
    ("disk", include_str!("disk.rs")),
    ("election", include_str!("election.rs")),
    ("flow", include_str!("flow.rs")),
    ("leases", include_str!("leases.rs")),
    ("membership", include_str!("membership.rs")),
    ("reads", include_str!("reads.rs")),
    ("replication", include_str!("replication.rs")),
    ("sessions", include_str!("sessions.rs")),
    ("snapshots", include_str!("snapshots.rs")),
    ("transfer", include_str!("transfer.rs")),
];

/// The table names every test, and every test it names is there.
#[test]
fn the_table_is_complete() {
    let rows = TABLE.lines().filter_map(|line| line.strip_prefix("//!   "));
    let named: BTreeSet<String> = rows.filter(|row| row.contains("::")).map(str::to_owned).collect();
    let tests_in = |text: &'static str| text.split("#[test]\nfn ").skip(1).filter_map(|test| test.split('(').next());
    let there: BTreeSet<String> =
        THEMES.iter().flat_map(|(theme, text)| tests_in(text).map(move |test| format!("{theme}::{test}"))).collect();
    assert_eq!(there.difference(&named).collect::<Vec<_>>(), [""; 0], "not in the table");
    assert_eq!(named.difference(&there).collect::<Vec<_>>(), [""; 0], "not a test");
}
