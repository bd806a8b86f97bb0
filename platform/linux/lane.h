/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A lane: memory that both ends of a connection share, with a slot for one
 * request and a slot for one answer.  It is a short cut beside the socket: a
 * message goes by the lane if its receiver is there, looking or napping for a
 * limited time, else by the socket, where it waits as long as it takes.  So who
 * is awake is not woken, and a peer that is gone is noticed where it always
 * was.
 *
 * Each end may change all of the memory at any time.  Its size is sealed; a
 * message is copied first, then checked.
 */
#ifndef MESH_PLATFORM_LINUX_LANE_H
#define MESH_PLATFORM_LINUX_LANE_H

#include "platform/linux/message.h"

/* How many microseconds mesh-keyd lets the client look for an answer at most;
 * the client believes no more. */
#define MESH_LANE_LOOK_MAX 2020u

struct mesh_lane;

/* mesh-keyd's end: makes the memory.  *fd is to be passed to the client, then
 * closed, by the caller.  NULL with errno if the system has none. */
struct mesh_lane *mesh_lane_new(int *fd);
/* The client's end: maps what was passed; fd stays the caller's.  NULL with
 * errno, EINVAL if it is no lane.  A child does not inherit it by fork. */
struct mesh_lane *mesh_lane_map(int fd);
void mesh_lane_free(struct mesh_lane *lane); /* NULL is allowed */

/*
 * The client's end.  Puts a request into the lane, and is 1; or is 0: then the
 * caller sends it over the socket.  Either way the answer is waited for by
 * mesh_lane_receive_answer().
 */
int mesh_lane_send_request(struct mesh_lane *lane,
                           const struct mesh_request *request,
                           const void *label, const void *data);
/* Tells mesh-keyd that a request comes by the socket that was not put into the
 * lane before, and its answer by the socket, too. */
void mesh_lane_leave(struct mesh_lane *lane);
/*
 * Looks for the answer as long as mesh-keyd allowed with its last one, then
 * naps.  1: it was there, *result says whether it makes sense, the rest is as
 * mesh_message_receive_answer() has it; 0: it comes by the socket.
 */
int mesh_lane_receive_answer(struct mesh_lane *lane,
                             enum mesh_message_result *result,
                             struct mesh_answer *answer, unsigned char **data,
                             size_t *len);

/* mesh-keyd's end: looks for a request for so many microseconds, if it promised
 * that with the last answer, then naps; as mesh_lane_receive_answer().  One of
 * a type that does not go by a lane makes no sense. */
int mesh_lane_receive_request(struct mesh_lane *lane, unsigned us,
                              enum mesh_message_result *result,
                              struct mesh_request *request,
                              unsigned char **data, size_t *len);
/* The processor that the client says it ran on when it sent its request. */
int mesh_lane_client_cpu(struct mesh_lane *lane);
/*
 * Before an answer is sent, by either way: mesh-keyd will be at the lane for
 * the next request, and look for it, or nap at once; and how many microseconds
 * the client may look for the next answer, 0 for not at all,
 * MESH_LANE_LOOK_MAX at most.
 */
void mesh_lane_promise(struct mesh_lane *lane, int looks, unsigned client_us);
/* Puts an answer into the lane, and is 1; or is 0: the socket is the way. */
int mesh_lane_send_answer(struct mesh_lane *lane,
                          const struct mesh_answer *answer, const void *data);

#endif
