/* SPDX-License-Identifier: MIT */
/* The process that makes a film: the other end of cli/movie.h. */
#ifndef SM_CLI_MOVIE_MAKER_H
#define SM_CLI_MOVIE_MAKER_H

/* The only argument of a program that is to be it. Not for people, so no help names it. */
#define CLI_MOVIE_MAKER "--movie-maker"

struct sm_movie_module;

/**
 * What the process does: loads the module, says how that went, and serves `fd`.
 *
 * @param fd  a socket; if it is none, nothing is done
 * @return the exit code
 */
int cli_movie_maker_run(int fd);

/** Makes one film with `module` as the socket `fd` says, until it is closed or makes no sense. */
void cli_movie_maker_serve(int fd, const struct sm_movie_module *module);

#endif
