/*
 * Situations written in words, so that a table of cases can be read:
 *
 *     "me=n1 uuid=A boot=primary:n2 | n1 attested A:90 | n2 running A:120 alive | n3 lost"
 *
 * Before the first bar what is common: me= (this node; none: an operator elsewhere), size=3, uuid=LETTER, epoch=1 (the
 * last that started), boot=PHASE:NODE (claimed is of epoch + 1), kind=new|survivor|remerge, base=LETTER:SEQNO,
 * view=LETTER/MEMBERS (of a re-merge), fork=NUMBER:BASE (a generation of the cluster that our lineage does not have),
 * earlier (the boot id of the claim is an earlier one of its node), manual, discard, etcd=down, forgot (etcd lost its
 * data and we know an epoch), nostate (our state directory is lost).
 *
 * Of each node: its record (none, which is the default, or running, idle, attested, lost), late (a mark of loss that
 * came too early), old (an attestation of the epoch before), its copy (empty, plain, broken, LETTER:SEQNO, or
 * LETTER:SEQNO? for a doubtful one), safe, g=NUMBER (generation), held=SEQNO, view=LETTER/MEMBERS, size=NUMBER, alive,
 * joining, cached, and what it answers: primary (LETTER of the recorded cluster, or primary=LETTER), synced, donor,
 * nonprimary; tells (its generation).
 *
 * Of this node, its copy is what the record says unless has=COPY says otherwise; pledged,
 * patience, disconnected, stranger, starting, serving, idling (states of its server), unheard (its record is of an
 * earlier boot), twin (another boot has its lease).
 */
#ifndef WORDS_H
#define WORDS_H

#include "situation.h"

/* Ends the test when a word is not known. */
void situation_from_words(const char *words, struct situation *situation);

#endif
