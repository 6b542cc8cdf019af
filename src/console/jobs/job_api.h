// JobApi: the requests about jobs below /console/api/jobs, once the caller is known.
//
//   POST jobs                  makes a job, or with DryRun tells what it would do
//   GET  jobs                  the jobs that the caller may see, newest first
//   GET  jobs/<id>[?lines=false]
//   POST jobs/<id>/cancel, resume, backout
//
// A job is seen by who asked for it, and by who may look up the account's trail, which tells the
// same. Only who asked for it changes it: it acts with that person's rights.
//
// Thread-safety: thread-safe. Serve runs on workers; it fills request.body. Errors are the API's.
#pragma once

#include <string>
#include <string_view>

#include "console/jobs/job_runner.h"
#include "json/json.h"
#include "server/request_state.h"

namespace keyturn::console {

class JobApi {
 public:
  struct Action {
    std::string_view method;
    std::string_view name;        // after "jobs/<id>/", or ""
    bool of_one = false;          // names a job
    std::string_view event_name;  // of the trail
    Status (JobApi::*serve)(server::RequestState&, const SignIn&, const std::string& id);
  };

  JobApi(JobBook& book, JobRunner& runner, service::Service& service)
      : book_(book), runner_(runner), service_(service) {}

  // Find: path is what follows "/console/api/jobs"; id is set when it names a job. Null: no such
  // request.
  static const Action* Find(std::string_view method, std::string_view path, std::string& id);

 private:
  Status Create(server::RequestState& request, const SignIn& session, const std::string& id);
  Status List(server::RequestState& request, const SignIn& session, const std::string& id);
  Status Show(server::RequestState& request, const SignIn& session, const std::string& id);
  Status Cancel(server::RequestState& request, const SignIn& session, const std::string& id);
  Status Resume(server::RequestState& request, const SignIn& session, const std::string& id);
  Status BackOut(server::RequestState& request, const SignIn& session, const std::string& id);

  // Take finds a job that the caller may see; kNotFoundException for any other.
  Result<Job> Take(const server::RequestState& request, const std::string& id) const;
  // TakeOwn also demands that the job is the caller's; kAccessDeniedException.
  Result<Job> TakeOwn(const server::RequestState& request, const std::string& id) const;
  // TakeUp puts a job that has stopped to work again, for another step or the present one.
  Status TakeUp(server::RequestState& request, const SignIn& session, const std::string& id,
                control::Phase phase, const std::string& justification);
  bool MaySeeAll(const server::RequestState& request) const;
  void WriteSummary(const server::RequestState& request, const Job& job, json::Writer& out) const;

  JobBook& book_;
  JobRunner& runner_;
  service::Service& service_;
};

}  // namespace keyturn::console
