enum WorkerRoom {}
