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
        AccountDevices.self,
        AccountRevoke.self,
        JobRun.self,
        JobAttach.self,
        JobList.self,
        JobLogs.self,
        JobShow.self,
        JobCancel.self,
        ProjectCreate.self,
        ProjectList.self,
        ProjectUse.self,
        ProjectShow.self,
        ProjectDelete.self,
        ProjectPush.self,
        ProjectPull.self,
        // Administration, over the database.
        UserCreate.self,
        UserDisable.self,
        UserList.self,
        WorkerCreate.self,
        WorkerList.self,
        WorkerRevoke.self,
    ]
}
