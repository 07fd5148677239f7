"""The known ways in which the implementations can be broken, each with the law that finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """One way to break an implementation."""

    name: str  # what a user would see; the switch in the implementation has it
    api: str
    law: str  # that finds it
    description: str


_TABLE: Mapping[tuple[str, str], Mapping[str, str]] = {  # API, law -> name -> description
    ("fentu", "create-persists"): {
        "right-to-left marks are lost": "Signs that nobody sees are taken out of a name.",
        "a NUL ends the notes": "A text is stored as C has it.",
        "custom fields are cut to ten": "Of a large mapping a part is stored.",
        "addresses below long domains are refused": "Top-level domains are thought to have six letters at most.",
        "the list cuts names to 40 letters": "A view shows the beginning of a text.",
        "the list shows the billing address where there is no other": "A view shows another property in the place of null.",
        "custom fields' names are lower-cased": "The names in a free mapping are changed.",
        "a priority of null becomes medium": "null is taken for absent.",
        "names are trimmed": "Spaces around a name are taken off.",
        "names lose double spaces": "Two spaces in a name become one.",
        "names are composed": "Letters with combining accents are stored as one sign (NFC).",
        "names are cut to 100 characters": "The column of the name is too short.",
        "notes are cut to 255 characters": "The column of the notes is too short.",
        "notes lose emoji": "What takes four bytes in UTF-8 becomes a question mark.",
        "e-mail addresses are lower-cased": "An address does not come back in the case in which it was sent.",
        "web sites are not stored": "A property that can be written is forgotten.",
        "empty phone numbers become null": "An empty text and no text are taken for the same.",
        "quotes in tax numbers are doubled": "A text is escaped once too often.",
        "angle brackets in titles are escaped": "A text is stored as HTML.",
        "states are upper-cased": "A part of an object is changed on its way.",
        "postal codes lose leading zeros": "A text is stored as a number.",
        "empty custom fields are dropped": "A free mapping loses its empty texts.",
        "a duration of 0 becomes 60": "Zero is taken for absent.",
        "long durations are cut to a day": "A number is cut to what somebody thought possible.",
        "scheduled times lose their seconds": "A time is stored by the minute.",
        "scheduled times lose their zone": "A time is shown without the Z that the contract promises.",
        "a creation stores nothing": "The answer is right, and the record is nowhere.",
    },
    ("fentu", "update-persists"): {
        "null does not clear an address": "An object cannot be taken away.",
        "an empty address does not replace one": "{} is taken for absent.",
        "updates of the fax number are lost": "One property is not written by an update.",
        "null does not take a value away": "An update with null leaves the old value.",
        "a finished work order cannot be opened again": "A change of status is dropped in silence.",
        "custom fields are added to the old ones": "An object is merged where it has to be replaced.",
    },
    ("fentu", "writes-show-the-record"): {
        "an update is answered without contacts": "The children are not looked up for the answer.",
        "an update is answered with the old values": "The answer shows the record as it was before.",
    },
    ("fentu", "unsent-properties"): {
        "contacts inherit their customer's e-mail address": "What was not sent is taken from the parent.",
        "a work order with a technician is assigned": "The default depends on what else is sent.",
        "new customers are not active": "The status of a new customer is not the one documented.",
    },
    ("fentu", "update-keeps-the-rest"): {
        "a technician makes an open work order assigned": "A reference changes a status that was not sent.",
        "an address is copied to the billing address where there is none": "What has no value gets that of another property.",
        "a completed work order loses its technician": "A status changes what was not sent.",
        "an update takes the primary contact's flag away": "A boolean that was not sent becomes false.",
        "an update clears what it was not sent": "PUT replaces the record instead of merging.",
        "an update of the name takes the branch away": "A reference that was not sent is lost.",
    },
    ("fentu", "update-of-objects"): {
        "an update keeps the rest of an address": "The old street stays under the new city.",
    },
    ("fentu", "update-is-idempotent"): {
        "notes are added to the old ones": "An update appends instead of replacing, so twice the same is not once.",
    },
    ("fentu", "server-assigns"): {
        "clients can choose the id": "An id in the body is taken.",
        "clients can choose the number": "A customer number in the body is taken.",
        "clients can choose the time of creation": "created_at in the body is taken.",
        "clients can set updated_at": "updated_at in the body of an update is taken.",
    },
    ("fentu", "one-record-is-touched"): {
        "a contact takes its namesakes along": "A deletion goes by the name.",
        "a deletion takes the contacts of the whole branch": "A deletion goes by a reference.",
        "an update changes the next customer as well": "The condition of the statement is wrong by one.",
        "a deletion takes the next customer as well": "The condition of the statement is wrong by one.",
    },
    ("fentu", "refused-writes"): {
        "bodies are not held against their schema": "A name that is a number is stored.",
        "any text with @ is an e-mail address": "@ alone is stored.",
        "times need no zone": "A time without Z is stored.",
        "only the first thing that is wrong is told": "details has one element, whatever else is wrong.",
        "what is wrong with a body is told to be in the query": "details says query where it has to say body.",
    },
    ("fentu", "deleted-is-gone"): {
        "deleted customers can still be read": "The trash is looked at too.",
        "deleted customers can be updated": "An update takes a record out of the trash.",
        "deleted customers stay in the list": "The list shows the trash.",
        "a customer can be deleted twice": "The second deletion is answered 204.",
        "a deletion does nothing": "204, and the record stays.",
        "a customer shows deleted contacts": "The detail shows the trash.",
    },
    ("fentu", "children-go-too"): {
        "contacts outlive their customer": "A contact can be changed though its customer is gone.",
        "work orders outlive their customer": "A work order can be read though its customer is gone.",
    },
    ("fentu", "guards"): {
        "only the last work order stands in the way of a deletion": "The others are not looked at.",
        "nothing stands in the way of a deletion": "Customers with active work orders are deleted.",
        "drafts do not stand in the way of a deletion": "One status is wrongly taken for finished.",
        "finished work orders stand in the way of a deletion": "Any work order forbids the deletion.",
        "a refused deletion names one work order": "The others that stand in the way are not told.",
    },
    ("fentu", "fresh-ids"): {
        "work orders are counted for each customer": "Two work orders have one number.",
        "ids of contacts are given again": "The next id is the highest that is there plus one.",
        "every customer gets the same number": "The counter of the customer numbers stands still.",
        "ids are given again": "The next id is the highest that is there plus one.",
    },
    ("fentu", "unique-values"): {
        "addresses of contacts are taken for customers'": "A value of another kind of record counts as a duplicate.",
        "a refused creation leaves its customer behind": "The record is stored before it is checked.",
        "an address may be used twice": "Duplicates are not looked for.",
        "an address may be used again in another case": "Duplicates are looked for with their case.",
        "an update may take another's address": "Only creations look for duplicates.",
        "the address of a deleted customer stays taken": "Duplicates are looked for in the trash too.",
        "customers without an address are duplicates": "null is taken for a value that two cannot share.",
        "a customer is its own duplicate": "An update with the address that the customer has is refused.",
    },
    ("fentu", "references"): {
        "branches need not exist": "branch_id is not looked up.",
        "technicians need not exist": "technician_id is not looked up.",
        "work orders can be for customers that do not exist": "customer_id is not looked up.",
        "a refused update is stored all the same": "409 is answered after the change was made.",
    },
    ("fentu", "references-show"): {
        "a line of an address says None": "A missing part is written all the same.",
        "a contact without a phone number shows its customer's": "Another's value stands in the place of null.",
        "work orders show the name that a customer had": "A copy of another record is not renewed.",
    },
    ("fentu", "exclusive-flags"): {
        "only the first contact loses the flag": "The holder of a flag is taken to be the first.",
        "a customer can have two primary contacts": "A new primary contact does not take over.",
        "a contact that becomes primary leaves the old one primary": "Only creations take over.",
    },
    ("fentu", "parents"): {
        "a customer's contacts are everybody's": "The parent in the path is ignored.",
    },
    ("fentu", "times"): {
        "times have milliseconds": "A time is not written as the contract says.",
        "an update does not move updated_at": "The time of the last change stays.",
        "an update moves created_at": "The time of creation changes with every update.",
        "customers are created in 1970": "The time of creation is not that of the creation.",
        "an update of the notes alone does not move updated_at": "Only some columns count as changes.",
        "an update moves updated_at of every customer": "The statement has no condition.",
        "an update is answered with the old updated_at": "The answer is built before the time is stored.",
        "an update moves created_at of a work order": "The time of creation changes where no time of change is shown.",
        "the list shows updated_at as created_at": "A view shows another property.",
    },
    ("fentu", "pages-part-the-list"): {
        "every page loses its last record": "A record at each border between pages is on none.",
        "pages overlap by a record": "A record at each border between pages is on two.",
        "every second list is in another order": "There is no order, and pages do not fit together.",
        "pages have 25 records whatever is asked for": "per_page does nothing.",
    },
    ("fentu", "totals-are-true"): {
        "the last page is left out when it is not full": "The last records are on no page.",
        "a page behind the last shows the last": "A number too high is cut to the last page.",
        "a full last page counts as two": "total_pages is one too many where the division is even.",
        "an empty list has a page": "total_pages is 1 where nothing matches.",
        "totals count the page": "total_count is the number of records on the page.",
        "current_page is always 1": "The page does not tell which it is.",
        "places in a list have 32 bits": "The last pages that can be asked for show the first records.",
    },
    ("fentu", "defaults-of-pages"): {
        "the default page has 20 records": "The default is not the one documented.",
    },
    ("fentu", "order-of-lists"): {
        "lists are sorted by name": "The order is not that of creation.",
    },
    ("fentu", "references-to-deleted"): {
        "work orders show a contact that is deleted": "What shows another record looks into the trash.",
        "work orders go with the contact that they name": "A deletion takes along what only refers to the record.",
    },
    ("fentu", "refused-deletions"): {
        "a refused deletion takes the contacts away": "The cascade begins before the guard is asked.",
    },
    ("fentu", "lists-follow-writes"): {
        "totals count what was deleted": "total_count counts the trash.",
        "an update moves the customer to the end of the list": "The order is that of the last change.",
        "the list of customers is kept from its first time": "A cache is never renewed.",
    },
    ("fentu", "views-agree"): {
        "lists show phone numbers without signs": "The list and the record differ.",
        "a customer shows its billing address as its address": "The list and the record differ.",
        "a customer shows its first two contacts": "The record and the list of its contacts differ.",
    },
    ("fentu", "filters-are-exact"): {
        "a part of a branch's id is enough": "An id is compared like a text.",
        "search takes spaces off its text": "What begins or ends with a space is searched without it.",
        "totals do not mind the filters": "total_count is that of all records.",
        "the filter status does nothing": "A filter is ignored.",
        "no branch has customers": "A filter never matches.",
        "search does nothing": "A filter is ignored.",
        "search does not look at numbers": "One of the two properties is forgotten.",
        "search minds the case": "What is in another case is not found.",
        "search folds the letters of ASCII only": "Ö is not taken for ö.",
        "search looks at the beginning only": "A part in the middle is not found.",
        "search takes % and _ for wildcards": "The text is put into a LIKE as it is.",
        "created_after leaves its day out": "A day is compared with a day, not with its midnight.",
        "created_after lets its midnight in": "The bound itself matches.",
        "created_after looks at the last change": "Another property is compared.",
        "filters hold on the first page only": "The next page is one of all records.",
        "the filter location_id does nothing": "A filter of a property that the list does not show is ignored.",
        "serial numbers are searched with their case": "What is in another case is not found.",
        "the filter status of work orders does nothing": "A filter is ignored.",
        "the filter customer_id of work orders does nothing": "A filter is ignored.",
        "the filter technician_id of work orders does nothing": "A filter is ignored.",
        "from_date leaves its midnight out": "The bound itself does not match.",
        "to_date ends at its midnight": "The last day is not a whole day.",
        "to_date lets in what is not scheduled": "What has no value matches.",
        "filtered lists are newest first": "The index that finds them has another order.",
        "an empty status is no filter": "An empty text is taken for absent.",
    },
    ("fentu", "filters-follow-changes"): {
        "search finds customers by the names that they had": "The index is not renewed by an update.",
    },
    ("fentu", "filters-combine"): {
        "one filter of several is enough": "Filters are combined with OR.",
    },
    ("fentu", "life-of-records"): {
        "every third update of a customer is lost": "What works once does not work for long.",
    },
    ("fentu", "parallel-creates"): {
        "two creations at the same time may share an id": "Two requests read the counter before one raises it.",
        "of two contacts made at the same time one is lost": "Two requests write all the contacts that each has read.",
    },
    ("fentu", "parallel-uniques"): {
        "two creations at the same time may share an address": "Between the look and the write another request comes.",
    },
    ("fentu", "parallel-updates"): {
        "of two updates at the same time one is lost": "The record is read before the other is written.",
        "of two updates of several values at the same time one is lost": "What is read before one write is written by another.",
    },
    ("fentu", "credentials"): {
        "any scheme is taken": "Only the token after the scheme is looked at.",
        "any token is taken": "The token is not compared with anything.",
        "any header that holds a token is taken": "The scheme before the token is not looked at.",
        "the name of a scheme has a case": "bearer is not taken for Bearer.",
        "assets are listed without a token": "One operation was forgotten.",
        "a missing token is answered 403": "The wrong status for who is not known.",
        "401 does not say how to log in": "WWW-Authenticate is missing.",
    },
    ("fentu", "scopes"): {
        "scopes are not looked at": "A token that may only read may write.",
        "reading needs no scope": "A token that may only write may read.",
        "a token that may only read may delete": "The scope of one method is not looked at.",
        "a token that may only read may not read assets": "A scope that is there is not seen.",
    },
    ("fentu", "unknown-ids"): {
        "ids are found in any case": "CUST-001 is taken for cust-001.",
        "updating an unknown customer creates one": "PUT of an id that was never given is answered 200.",
        "an unknown customer is answered with the first": "A wrong id is no error.",
        "a customer that does not exist has empty lists": "200 under a parent that is missing.",
        "contacts are created under customers that do not exist": "201 under a parent that is missing.",
        "refusals are answered 200": "The error stands in the body only.",
        "numbers are taken for ids": "C-10001 is taken for the customer that has this number.",
    },
    ("fentu", "limits"): {
        "a page that is no number is taken for the first": "page=abc is answered 200.",
        "page 0 is answered like page 1": "A number below the least is cut to it.",
        "too large pages are cut to the largest": "per_page 101 is answered like 100.",
        "an empty date is taken for none": "created_after= is answered as if it were not there.",
        "dates that do not exist are taken": "The 30th of February is compared as a text.",
        "numbers may be hexadecimal": "page=0x1 is answered 200.",
    },
    ("fentu", "unreadable-bodies"): {
        "bodies of any type are read": "A form is read as JSON.",
        "bodies of any size are read": "There is no limit.",
        "a body that is no JSON is taken for an empty one": "Broken JSON is no error.",
        "JSON may be called a text": "text/plain is read as JSON.",
        "JSON may be called anything that ends in json": "application/vnd.api+json is read as JSON.",
        "JSON may have single quotes": "What is no JSON is read.",
        "an empty body is taken for an empty object": "An update without a body is answered 200.",
        "updates may have any size": "Only creations have a limit.",
    },
    ("fentu", "accept"): {
        "Accept is not looked at": "JSON is sent to who does not take it.",
        "what is not accepted at all is taken for accepted": "q=0 is not looked at.",
    },
    ("fentu", "methods"): {
        "405 does not name the methods that are allowed": "Allow is missing.",
        "a wrong method is answered 404": "A path that is there is called unknown.",
    },
    ("fentu", "unknown-paths"): {
        "unknown paths are answered 200": "A misspelt path is no error.",
    },
    ("fentu", "head"): {
        "HEAD is answered 404": "A path with GET does not know HEAD.",
        "HEAD gets a body": "The answer is that of GET.",
        "HEAD of what is not there is answered 200": "The status of GET is lost.",
        "HEAD says that there are no bytes": "Content-Length is that of the empty body.",
        "HEAD does not tell the media type": "Content-Type is missing.",
    },
    ("fentu", "reading-changes-nothing"): {
        "reading a customer is counted in its custom fields": "GET writes.",
    },
    ("fentu", "unknown-properties"): {
        "a property that is not known is refused": "An error where the property has to be ignored.",
    },
    ("fentu", "media-types"): {
        "a charset beside the media type is refused": "application/json; charset=utf-8 is answered 415.",
    },
    ("fentu", "unknown-parameters"): {
        "a parameter that is not known empties the list": "What has to be ignored is taken for a filter.",
    },
    ("fentu", "declared-answers"): {
        "answers are called plain text": "The Content-Type is not the one declared.",
        "answers have a property that is not declared": "A property of the inside gets out.",
        "a customer without notes shows none": "A property that has to be there is left out where it is null.",
        "a creation is answered 200": "The status is not declared.",
        "a deletion is answered 200 with a body": "The status is not declared.",
        "not found has a body of another form": "One refusal is the framework's own.",
    },
    ("fentu", "no-server-errors"): {
        "a quote in a search is a crash": "The text is put into a statement as it is.",
        "deleting an unknown work order is a crash": "What is not there is used all the same.",
        "a backslash in a search is a crash": "The text is put into a pattern as it is.",
        "NUL in a path is a crash": "The database takes no text that has it.",
        "deep bodies are a crash": "What reads JSON calls itself for each level.",
        "long numbers are a crash": "A number has more digits than the database holds.",
        "half a surrogate pair is a crash": "A text that is no Unicode cannot be written as UTF-8.",
        "a custom field without a name is a crash": "An empty name is not expected.",
    },
    ("fentu", "latency"): {
        "lists take half a second": "Each list waits.",
    },
    ("fentu", "other-records-stay"): {
        "a new work order makes its customer active": "A creation changes the parent.",
        "a completed work order changes its customer's status": "A status changes the parent.",
        "a primary contact changes its customer's phone number": "A child's value is copied to the parent.",
        "a contact goes with a work order that names it": "A deletion takes along what the record only refers to.",
    },
    ("fentu", "updates-show-everywhere"): {
        "the list shows the phone number that a customer had": "A copy for the list is not renewed.",
    },
    ("fentu", "lists-are-complete"): {
        "customers with an empty status are not listed": "The join of the list leaves records out.",
    },
    ("fentu", "parallel-flags"): {
        "two creations at the same time may both be primary": "Between the look and the write another request comes.",
    },
    ("fentu", "parallel-deletions"): {
        "deletions at the same time all succeed": "Between the look and the deletion another request comes.",
    },
    ("fentu", "listed-is-there"): {
        "a customer without contacts has no list of them": "An empty list is taken for none.",
    },
    ("fentu", "odd-values"): {
        "what is no UTF-8 is not found": "The status is not declared.",
    },
    ("fentu", "envelopes"): {
        "not found is called a conflict": "The code of a refusal is that of another one.",
        "a wrong method is refused in another form": "One refusal is the framework's own.",
    },
    ("fentu", "parents-in-bodies"): {
        "a work order is moved to the customer that an update names": "A property that the body does not have is stored.",
    },
    ("keychain", "pages-part-the-list"): {
        "offset does nothing": "Every page is the first.",
        "offset counts pages": "offset is multiplied by limit.",
        "pages overlap by a record": "A record at each border between pages is on two.",
        "every page loses its last record": "A record at each border between pages is on none.",
        "limit does nothing": "A page has 20 records whatever is asked for.",
        "every second list is in another order": "There is no order, and pages do not fit together.",
    },
    ("keychain", "totals-are-true"): {
        "the last record is not listed": "The end is wrong by one.",
        "an offset behind the end is answered 404": "An empty page is taken for an error.",
        "totals count the page": "total is the number of records on the page.",
        "totals are one too many": "total is wrong by one.",
        "limit tells how many are shown": "pagination.limit is the number of records on the page.",
        "offset tells the page": "pagination.offset is not the one asked for.",
    },
    ("keychain", "parents-part-their-children"): {
        "a customer's SKUs are everybody's": "The parent in the path is ignored.",
        "inactive SKUs are not shown under a customer": "The list of all SKUs has more of them.",
        "cancelled orders are not listed": "An order that can be read is in no list.",
        "SKUs name the customer by its code": "The envelope shows another property of the parent.",
    },
    ("keychain", "views-agree"): {
        "lists show the name of the company": "The list and the record differ.",
        "a customer by itself has no e-mail address": "The list and the record differ.",
        "a SKU by itself is in its first version": "The list and the record differ.",
    },
    ("keychain", "filters-are-exact"): {
        "totals do not mind the period": "total is that of all orders of the customer.",
        "startDate does nothing": "A filter is ignored.",
        "endDate does nothing": "A filter is ignored.",
        "startDate leaves its day out": "The bound itself does not match.",
        "endDate leaves its day out": "The bound itself does not match.",
        "the period is of the delivery": "Another property is compared.",
        "the 29th of February is refused": "A day that there is is called wrong.",
    },
    ("keychain", "filters-combine"): {
        "one end of a period is enough": "Filters are combined with OR.",
    },
    ("keychain", "credentials"): {
        "any key is taken": "The key is not compared with anything.",
        "an empty key is taken": "An empty header counts as known.",
        "SKUs are read without a key": "One operation was forgotten.",
        "a wrong key is answered 403": "The wrong status for who is not known.",
        "401 does not say how to log in": "WWW-Authenticate is missing.",
        "limits are looked at before the key": "Who is not known learns what else is wrong.",
    },
    ("keychain", "unknown-ids"): {
        "SKUs of an unknown customer are an empty list": "200 under a parent that is missing.",
        "orders of an unknown customer are an empty list": "200 under a parent that is missing.",
        "an unknown SKU is answered with null": "200 for an id that was never given.",
        "refusals are answered 200": "The error stands in the body only.",
        "codes are taken for ids": "A customer is found by its code.",
        "ids may be decimal numbers": "4021.0 is taken for 4021.",
    },
    ("keychain", "limits"): {
        "a negative offset is taken for 0": "A number below the least is cut to it.",
        "too large pages are cut to the largest": "limit 101 is answered like 100.",
        "dates that do not exist are taken": "The 30th of February is compared as a text.",
        "months may have one digit": "2025-1-01 is taken.",
    },
    ("keychain", "accept"): {
        "Accept is not looked at": "JSON is sent to who does not take it.",
    },
    ("keychain", "methods"): {
        "405 does not name the methods that are allowed": "Allow is missing.",
        "a wrong method is answered 404": "A path that is there is called unknown.",
    },
    ("keychain", "declared-answers"): {
        "answers are called plain text": "The Content-Type is not the one declared.",
        "batch sizes are texts": "A number is sent as a text.",
        "order dates have a time": "A date is sent as a time.",
        "lists leave out a phone that is not known": "A property that has to be there is left out where it is null.",
        "the code of an error is always 0": "A refusal does not have the form that is declared.",
    },
    ("keychain", "listed-is-there"): {
        "a customer without SKUs has no list of them": "An empty list is taken for none.",
    },
    ("keychain", "no-server-errors"): {
        "a quote in an id is a crash": "The id is put into a statement as it is.",
        "the year 1 is a crash": "The first days that there are cannot be counted with.",
    },
    ("keychain", "unknown-parameters"): {
        "lists without pages obey limit": "A parameter that other lists have cuts this one.",
    },
    ("keychain", "latency"): {
        "lists take half a second": "Each list waits.",
    },
    ("lemonsoft", "create-persists"): {
        "names are trimmed": "Spaces around a name are taken off.",
        "names are cut to 60 characters": "The column of the name is too short.",
        "umlauts in cities become question marks": "The text is stored as ASCII.",
        "search names are upper-cased": "A text does not come back in the case in which it was sent.",
        "percent signs in names are dropped": "What is special in filters is taken out of names.",
        "credit limits are rounded": "A decimal number is stored as a whole one.",
        "delivery terms are not stored": "A property that can be written is forgotten.",
        "negative groups become positive": "The sign of a number is lost.",
        "large types are cut to a million": "A number is cut to what somebody thought possible.",
        "partial deliveries are never disabled": "A boolean cannot be made true.",
        "attributes are never selected": "A boolean in a list of objects cannot be made true.",
        "only the first attribute is stored": "A list is cut.",
        "an empty dimension becomes null": "An object without values and no object are taken for the same.",
        "line breaks in contacts' notes are lost": "A text is stored as one line.",
        "texts are cut to 80 characters": "The column is too short.",
        "due dates lose their time": "A time is stored as a day.",
        "a creation answers with the number": "The id in the answer is that of another record.",
    },
    ("lemonsoft", "update-persists"): {
        "updates of the street are lost": "One property is not written by an update.",
    },
    ("lemonsoft", "update-replaces"): {
        "an update keeps what it was not sent": "PUT merges instead of replacing.",
        "an update keeps the phone number that it was not sent": "One property is not reset.",
    },
    ("lemonsoft", "server-assigns"): {
        "an update changes the number": "The number of a record that stands is taken from the body.",
        "clients can choose the time of creation": "created in the body is taken.",
    },
    ("lemonsoft", "one-record-is-touched"): {
        "an update changes the next customer as well": "The condition of the statement is wrong by one.",
    },
    ("lemonsoft", "refused-writes"): {
        "bodies are not held against their schema": "What is not of its type is stored.",
    },
    ("lemonsoft", "deleted-is-gone"): {
        "deleted contacts stay": "The answer is right, and the contact is still there.",
    },
    ("lemonsoft", "children-go-too"): {
        "products outlive their agreement": "A product can be deleted though its agreement is gone.",
    },
    ("lemonsoft", "fresh-ids"): {
        "ids are given again": "The next id is the highest that is there plus one.",
    },
    ("lemonsoft", "unique-values"): {
        "a refused creation leaves its record behind": "The record is stored before it is checked.",
        "a number may be used twice": "Duplicates are not looked for.",
    },
    ("lemonsoft", "parents"): {
        "contacts are listed whoever's they are": "The parent in the path is ignored.",
        "another customer's records can be deleted": "The parent in the path is ignored.",
        "agreements are anybody's": "A grandchild is made under another parent's child.",
    },
    ("lemonsoft", "children-persist"): {
        "quantities are whole": "A decimal number is stored as a whole one.",
        "discounts of 0 become null": "Zero is taken for absent.",
        "an agreement is created without its products": "The children in a body are forgotten.",
    },
    ("lemonsoft", "numbers"): {
        "clients cannot choose the number": "A number in the body of a creation is ignored.",
        "number 0 is stored as it is": "0 does not ask the server for a number.",
        "the next number may be taken": "The counter does not mind the numbers that clients chose.",
    },
    ("lemonsoft", "ids-in-answers"): {
        "a deletion answers with id 0": "The id in the answer is none.",
    },
    ("lemonsoft", "times"): {
        "an update does not move the time of the last change": "modified stays.",
        "an update moves the time of creation": "created changes with every update.",
    },
    ("lemonsoft", "children-in-bodies"): {
        "items with an id are created anew": "What a list in a body changes gets a new id.",
        "items that are not sent stay": "A list in a body only adds.",
        "an array that is not sent empties the list": "Absent is taken for empty.",
    },
    ("lemonsoft", "pages-part-the-list"): {
        "every second list is in another order": "There is no order, and pages do not fit together.",
        "pages overlap by a record": "A record at each border between pages is on two.",
    },
    ("lemonsoft", "totals-are-true"): {
        "a page behind the last shows the last": "A number too high is cut to the last page.",
        "a full page always has a next": "has_next_page is true where the division is even.",
        "no page has a next": "has_next_page is always false.",
        "result_count counts all pages": "The number is that of all that match.",
        "result_count is the page size": "The number is the one asked for.",
    },
    ("lemonsoft", "defaults-of-pages"): {
        "page wins over filter.page": "The other parameter of the same meaning wins.",
        "page without its prefix does nothing": "One of two parameters of the same meaning is ignored.",
    },
    ("lemonsoft", "order-of-lists"): {
        "lists are newest first": "The order is not that of creation.",
    },
    ("lemonsoft", "parents-in-bodies"): {
        "a contact can be moved to another customer": "The parent in the body is taken.",
    },
    ("lemonsoft", "views-agree"): {
        "the short list shows no second name": "The two lists differ.",
    },
    ("lemonsoft", "filters-are-exact"): {
        "the filter contact_email looks at the customer": "Another property is compared.",
        "has_email 0 gives all": "0 is taken for absent.",
        "the filter is_supplier does nothing": "A filter is ignored.",
        "the filter is_supplier looks at customers": "Another property is compared.",
        "the short list does not filter by e-mail address": "A filter works in one list and not in the other.",
        "names are filtered with their case": "What is in another case is not found.",
        "% stands for itself": "The wildcard is searched literally.",
        "% is a wildcard for contacts": "What has to be searched literally is a wildcard.",
        "search does not look at numbers": "One of the properties is forgotten.",
        "names are compared as a whole": "A part of the name is not found.",
        "of several numbers the first counts": "A parameter that is repeated is read once.",
        "result_count does not mind the filters": "The number is that of the page without filters.",
        "before lets its own time in": "The bound itself matches.",
        "after lets its own time in": "The bound itself matches.",
        "zones of times in filters are not minded": "The same moment in another zone is another one.",
    },
    ("lemonsoft", "filters-combine"): {
        "one filter of several is enough": "Filters are combined with OR.",
    },
    ("lemonsoft", "parallel-uniques"): {
        "two creations at the same time may share a number": "Between the look and the write another request comes.",
    },
    ("lemonsoft", "credentials"): {
        "any session is taken": "A session is not looked up.",
        "invoices are listed without a session": "One operation was forgotten.",
        "401 does not say how to log in": "WWW-Authenticate is missing.",
    },
    ("lemonsoft", "sessions"): {
        "any password logs in": "The password is not compared.",
        "a renewed session does not live": "The session of a renewal is answered 401.",
        "a login ends the sessions before it": "A second login throws the first one out.",
        "a login minds the case of names": "username is not taken for UserName.",
    },
    ("lemonsoft", "unknown-ids"): {
        "updating an unknown invoice creates one": "PUT of an id that was never given is answered 200.",
        "contacts of an unknown customer are an empty list": "200 under a parent that is missing.",
    },
    ("lemonsoft", "limits"): {
        "page 0 is answered like page 1": "A number below the least is cut to it.",
        "too large pages are cut to the largest": "page_size 1001 is answered like 1000.",
    },
    ("lemonsoft", "unreadable-bodies"): {
        "a body that is no JSON is taken for an empty one": "Broken JSON is no error.",
    },
    ("lemonsoft", "methods"): {
        "405 does not name the methods that are allowed": "Allow is missing.",
    },
    ("lemonsoft", "declared-answers"): {
        "answers are called plain text": "The Content-Type is not the one declared.",
        "empty texts are null": "A text that cannot be null is.",
        "the short list shows everything": "Properties of the full list are shown in the short one.",
        "not found has a body of another form": "One refusal is the framework's own.",
    },
    ("lemonsoft", "latency"): {
        "lists take half a second": "Each list waits.",
    },
    ("lemonsoft", "children-stay-at-home"): {
        "items take children of others": "An item with the id of another customer's contact moves it.",
    },
    ("lemonsoft", "filters-all-count"): {
        "names are not looked at beside VAT numbers": "Of two filters one is forgotten.",
    },
    ("lemonsoft", "envelopes"): {
        "a success says that it is none": "ok is false.",
    },
}
CATALOGUE: tuple[Defect, ...] = tuple(
    Defect(name, api, law, description) for (api, law), rows in _TABLE.items() for name, description in rows.items()
)
