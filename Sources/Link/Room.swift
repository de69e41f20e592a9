enum LinkRoom {}
