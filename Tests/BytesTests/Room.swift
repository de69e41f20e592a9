enum BytesTestsRoom {}
