enum AgentsTestsRoom {}
