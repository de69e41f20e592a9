/// Every verb of `errand`.
package enum ErrandVerbs {
    package static let all: [any Verb.Type] = [
        // This machine.
        Up.self,
        Down.self,
        Serve.self,
        Work.self,
        StandinServe.self,
        Migrate.self,
        ShowConfiguration.self,
        Examine.self,
        ProbeHTTP.self,
        BenchSandbox.self,
        // The client, over the API.
        AccountLogin.self,
        AccountLogout.self,
        AccountWhoAmI.self,
        ProjectCreate.self,
        ProjectDelete.self,
        ProjectList.self,
        ProjectPull.self,
        ProjectPush.self,
        ProjectShow.self,
        ProjectUse.self,
        JobAttach.self,
        JobCancel.self,
        JobList.self,
        JobLogs.self,
        JobRun.self,
        JobShow.self,
        // Administration, over the database.
        UserCreate.self,
        UserDisable.self,
        UserList.self,
        WorkerCreate.self,
        WorkerList.self,
        WorkerRevoke.self,
    ]
}
