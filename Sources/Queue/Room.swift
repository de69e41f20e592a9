enum QueueRoom {}
