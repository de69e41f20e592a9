enum AgentsRoom {}
