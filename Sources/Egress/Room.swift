enum EgressRoom {}
