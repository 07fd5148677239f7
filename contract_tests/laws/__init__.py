"""The laws: semantic promises that a contract makes, and how each is tried. None of them names an API."""

from __future__ import annotations

from contract_tests import schemathesis_suite
from contract_tests.laws import answered, filtered, listed, nested, raced, records, related, written
from contract_tests.laws.bench import Bench, Law

__all__ = ["LAWS", "SCHEMATHESIS", "Bench", "Law"]

SCHEMATHESIS = "schemathesis"  # the name of the law that takes longest

LAWS: tuple[Law, ...] = (
    Law(
        "create-persists",
        "What a creation was sent is read back, letter for letter.",
        written.create_persists,
        actions=("create",),
    ),
    Law(
        "update-persists",
        "What an update was sent is read back, letter for letter.",
        written.update_persists,
        actions=("update",),
    ),
    Law(
        "writes-show-the-record",
        "A write answers with the record as it is read afterwards.",
        written.create_shows_what_was_made,
        actions=("create", "update"),
    ),
    Law(
        "unsent-properties",
        "What a creation was not sent has the value that the contract gives it.",
        written.initial_values,
        actions=("create",),
    ),
    Law(
        "update-keeps-the-rest",
        "An update changes what it was sent, and nothing else of the record.",
        written.update_keeps_the_rest,
        actions=("update",),
    ),
    Law(
        "update-of-objects",
        "An object sent in an update replaces the stored one, or merges with it, as the contract says.",
        written.update_merges_deeply,
        actions=("update",),
    ),
    Law("update-replaces", "An update that replaces resets what it was not sent.", written.update_replaces, actions=("update",)),
    Law("update-is-idempotent", "The same update twice is as good as once.", written.update_is_idempotent, actions=("update",)),
    Law(
        "server-assigns", "What the server assigns cannot be set by a body.", written.server_assigns, actions=("create", "update")
    ),
    Law(
        "one-record-is-touched",
        "A write touches the record it names, and no other.",
        records.one_record_is_touched,
        actions=("create", "update", "delete"),
    ),
    Law(
        "refused-writes",
        "A body that breaks its schema is refused, and changes nothing.",
        records.refused_writes_change_nothing,
        actions=("create", "update"),
    ),
    Law("deleted-is-gone", "A deleted record is gone from every answer.", records.deleted_is_gone, actions=("delete",)),
    Law("children-go-too", "What belongs to a deleted record is deleted with it.", records.children_go_too, actions=("delete",)),
    Law("guards", "A record that others guard cannot be deleted, and only then.", records.guards_hold, actions=("delete",)),
    Law(
        "fresh-ids", "No id and no number is given twice, not even after a deletion.", records.ids_are_fresh, actions=("create",)
    ),
    Law(
        "unique-values",
        "Values that must be unique are refused to a second record, and to nobody else.",
        records.unique_is_unique,
        actions=("create",),
    ),
    Law("references", "A reference names a record that exists.", records.references_are_checked, actions=("create", "update")),
    Law(
        "references-show",
        "What a record shows of another is what that one shows itself, also once it has changed.",
        records.references_show,
        writes=False,
    ),
    Law(
        "exclusive-flags",
        "At most one record of a parent has an exclusive flag: the one that was given it last.",
        records.exclusive_is_exclusive,
        actions=("create",),
    ),
    Law("parents", "A child is below its own parent and below no other.", records.parents_keep_their_own, actions=("create",)),
    Law("children-persist", "The children in a body are read back, letter for letter.", nested.children_persist, actions=("create", "update")),
    Law("numbers", "A number that a client may choose is kept, and without one the server gives one.", nested.numbers_may_be_chosen, actions=("create", "update")),
    Law("ids-in-answers", "A write answers with the id of the record that it made, changed or deleted.", nested.answers_name_the_record, actions=("create", "update", "delete")),
    Law("times", "A record tells when it was made and when it was last changed.", records.times_are_kept, actions=("create",)),
    Law(
        "children-in-bodies",
        "The children in a body are made, changed and deleted as the body lists them.",
        records.children_in_bodies,
        actions=("update",),
    ),
    Law(
        "pages-part-the-list",
        "The pages of a list, whatever their size, are all its records, each once, in the same order.",
        listed.pages_part_the_list,
        writes=False,
        actions=("list",),
    ),
    Law(
        "totals-are-true",
        "Totals, counts and numbers of pages are right at every border.",
        listed.totals_are_true,
        writes=False,
        actions=("list",),
    ),
    Law(
        "defaults-of-pages",
        "A list without page and size is the list with their defaults.",
        listed.defaults_of_pages,
        writes=False,
        actions=("list",),
    ),
    Law(
        "order-of-lists",
        "A list keeps its order, and a new record stands at its end.",
        listed.order_is_kept,
        writes=False,
        actions=("list",),
    ),
    Law(
        "references-to-deleted",
        "A record that refers to a deleted one stays, and shows nothing of it.",
        related.references_outlive_their_record,
        actions=("delete",),
    ),
    Law(
        "refused-deletions",
        "Nothing goes with a record whose deletion is refused.",
        related.refused_deletions_change_nothing,
        actions=("delete",),
    ),
    Law(
        "lists-follow-writes",
        "A list that was asked before shows what was written since, in its order, and counts it.",
        related.lists_follow_writes,
        actions=("create",),
    ),
    Law(
        "parents-part-their-children",
        "The lists below the parents share no record, and together have all that there are.",
        related.parents_part_their_children,
        writes=False,
        actions=("list",),
    ),
    Law(
        "views-agree",
        "All views of a record show the same, as far as they show it.",
        listed.views_agree,
        writes=False,
        actions=("get", "list"),
    ),
    Law(
        "filters-are-exact",
        "A filter gives all records that match, and no others.",
        filtered.filters_are_exact,
        writes=False,
        actions=("list",),
    ),
    Law(
        "filters-follow-changes",
        "A record that was changed is found by what it holds now, and not by what it held.",
        filtered.filters_follow_changes,
        actions=("list",),
    ),
    Law("filters-combine", "Of several filters every one must match.", filtered.filters_combine, writes=False, actions=("list",)),
    Law(
        "parallel-creates",
        "Records made at the same time are all there, each with an id and numbers of its own.",
        raced.parallel_creates_are_apart,
        actions=("create",),
    ),
    Law(
        "parallel-uniques",
        "Of several records made at the same time with one unique value, one comes to be.",
        raced.parallel_uniques_collide,
        actions=("create",),
    ),
    Law(
        "parallel-updates",
        "Updates of different properties at the same time are all kept.",
        raced.parallel_updates_add_up,
        actions=("update",),
    ),
    Law(
        "credentials",
        "Without a credential, or with a wrong one, nothing is answered.",
        answered.credentials_are_needed,
        writes=False,
    ),
    Law("scopes", "A credential may do what its scopes say, and nothing else.", answered.scopes_are_needed, writes=False),
    Law(
        "sessions",
        "A login opens a session that works; wrong credentials open none.",
        answered.sessions_work,
        actions=("login", "renew"),
    ),
    Law(
        "unknown-ids",
        "An id that names nothing is not found, however odd it is.",
        answered.unknown_ids_are_not_found,
        writes=False,
    ),
    Law("limits", "A parameter out of its bounds, or of the wrong form, is refused.", answered.limits_are_kept, writes=False),
    Law("unreadable-bodies", "What is no JSON, or of another media type, is refused.", answered.bodies_are_read),
    Law("accept", "Who accepts no JSON is told so; who accepts it gets it.", answered.only_json_is_answered, writes=False),
    Law(
        "methods",
        "A method that a path does not have is refused, and Allow names those it has.",
        answered.methods_are_known,
        writes=False,
    ),
    Law("unknown-paths", "A path that the contract does not have is not found.", answered.paths_are_known, writes=False),
    Law("head", "HEAD answers as GET does, without a body.", answered.head_is_get_without_a_body, writes=False),
    Law(
        "reading-changes-nothing", "The same question twice gets the same answer.", answered.reading_changes_nothing, writes=False
    ),
    Law(
        "unknown-parameters",
        "A parameter that the contract does not have changes nothing.",
        answered.unknown_parameters_do_no_harm,
        writes=False,
    ),
    Law(SCHEMATHESIS, "Schemathesis, with all its phases and checks, finds nothing.", schemathesis_suite.run, writes=False),
    Law(
        "declared-answers",
        "Statuses, media types, headers and fields of every answer are those that the contract declares.",
        answered.every_answer_is_declared,
        writes=False,
    ),
    Law("no-server-errors", "Nothing that a client sends makes the server fail.", answered.no_server_errors, writes=False),
    Law("latency", "No answer takes longer than the bound that was given.", answered.answers_are_quick, writes=False),
)
