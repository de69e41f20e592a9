enum TransportTestsRoom {}
