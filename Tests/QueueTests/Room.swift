enum QueueTestsRoom {}
