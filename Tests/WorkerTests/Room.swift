enum WorkerTestsRoom {}
