// MarketCommandTests.swift - the GPU marketplace over the wire: the seed's sample values, atomic booking and its
// events, windows and the clock, order books, providers, statistics that equal a recount after whatever command.
import TestKit
import Testing

struct MarketCommandTests {
    private func gpus(_ client: TestClient, _ line: String) throws -> [String] {
        (try client.run(line).elements ?? []).compactMap { $0["gpu"]?.text }
    }

    @Test(arguments: TestVariant.all)
    func availabilityAndPrices(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            (#"FOG.GPU SET gpu_123 TYPE "RTX 3080" REGION us-east PROVIDER p PRICE 0.15 PERF 30"#, "OK"),
            ("FOG.GPU SET gpu_123 MEM 10 FIELD latency 5", "OK"),
            (#"FOG.GPU SET gpu_124 TYPE "RTX 3080" REGION us-east PRICE 0.10 PERF 10"#, "OK"),
            ("HMGET fog:gpu:gpu_123 type region provider price perf mem latency status",
                #"["RTX 3080", "us-east", "p", "0.15", "30", "10", "5", "available"]"#),
            ("FOG.GPU SET x PRICE -1", "(matches) (error) ERR prices are decimal numbers *"),
            ("FOG.GPU SET x REGION a:b", "(matches) (error) ERR a region's name *"),
            ("FOG.GPU STATUS none busy", "(matches) (error) NOGPU *"),
        ])
        let client = session.client
        #expect(try gpus(client, #"FOG.GPU AVAIL REGION us-east TYPE "RTX 3080""#) == ["gpu_124", "gpu_123"])
        #expect(try gpus(client, "FOG.GPU AVAIL SORT perf") == ["gpu_123", "gpu_124"])
        #expect(try gpus(client, "FOG.GPU AVAIL SORT score LIMIT 1") == ["gpu_123"])
        #expect(try gpus(client, "FOG.GPU AVAIL MAXPRICE 0.12") == ["gpu_124"])
        #expect(try gpus(client, "FOG.GPU AVAIL REGION nowhere") == [])
        #expect(try gpus(client, "FOG.GPU RANK BY latency LIMIT 1") == ["gpu_123"])
        try session.run([(#"FOG.PRICE SET "RTX 3080" us-east 0.15"#, "(nil)")])
        #expect(try client.run(#"FOG.PRICE SET "RTX 3080" us-east 0.18 REASON demand"#).text == "0.15")
        #expect(try client.run(#"FOG.PRICE GET "RTX 3080" us-east"#).text == "0.18")
        #expect(try client.run(#"FOG.PRICE GET "RTX 3080""#)["us-east"]?.text == "0.18")
        #expect(try client.run("FOG.GPU AVAIL LIMIT 1").items[0]["price"]?.text == "0.18")
        let history = try client.run(#"FOG.PRICE HISTORY "RTX 3080" us-east"#)
        #expect(history.items.map { $0["price"]?.text } == ["0.15", "0.18"])
        try session.run([
            ("FOG.GPU STATUS gpu_123 BUSY", #""available""#), ("HGET fog:gpu:gpu_123 status", #""busy""#),
            ("DEL fog:price:RTX\\ 3080:us-east", "0"), (#"DEL "fog:price:RTX 3080:us-east""#, "1"),
        ])
        #expect(try client.run("FOG.GPU AVAIL LIMIT 1").items[0]["price"]?.text == "0.1")
    }

    @Test(arguments: TestVariant.all)
    func bookingIsAtomicAndTellsInOrder(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let subscriber = try session.server.connect()
        _ = try subscriber.run("SUBSCRIBE fog:events")
        try session.run([("FOG.GPU SET g TYPE T REGION r PRICE 1", "OK")])
        func types(_ count: Int) throws -> [String] {
            try (0..<count).map { _ in
                let text = try subscriber.reply().items.last?.text ?? ""
                let behind = text.split(separator: "\"type\":\"").dropFirst().first
                return String(behind?.split(separator: "\"").first ?? "")
            }
        }
        _ = try types(2)
        let booked = try session.client.run("FOG.BOOK CREATE b1 g user_456")
        let supply = [
            "GPU_AVAILABILITY_CHANGED", "PRICING_UPDATED", "ORDER_BOOK_UPDATED", "MARKET_STATS_UPDATED",
        ]
        #expect(booked["events"]?.items.map(\.text) == supply + ["BOOKING_CREATED"])
        #expect(booked["price"]?.text == "1")
        #expect(try types(5) == supply + ["BOOKING_CREATED"])
        try session.run([
            ("FOG.BOOK CREATE b2 g u", "(matches) (error) BUSY *"), ("EXISTS fog:booking:b2", "0"),
            ("FOG.BOOK CREATE b1 g u", "(matches) (error) ERR a booking *"),
            ("FOG.BOOK CREATE b2 none u", "(matches) (error) NOGPU *"),
            ("FOG.GPU STATUS g available", "(matches) (error) BUSY *"), ("FOG.GPU AVAIL", "[]"),
            // Nobody books a GPU twice, whatever its record says.
            ("HSET fog:gpu:g status available", "0"), ("FOG.BOOK CREATE b2 g u", "(matches) (error) BUSY *"),
            ("HSET fog:gpu:g status busy", "0"),
            ("FOG.BOOK CANCEL b1 other", "(error) ERR the booking is of another GPU"), ("FOG.BOOK CANCEL b1 g", "OK"),
            ("FOG.BOOK CANCEL b1", "(matches) (error) ERR the booking is completed *"),
            ("FOG.BOOK CANCEL none", "(matches) (error) NOBOOKING *"),
            ("HMGET fog:booking:b1 status gpu user price", #"["cancelled", "g", "user_456", "1"]"#),
        ])
        #expect(try types(5) == supply + ["BOOKING_CANCELLED"])
        #expect(try gpus(session.client, "FOG.GPU AVAIL") == ["g"])
    }

    @Test(arguments: TestVariant.protocols)
    func windowsFollowTheClock(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let now = try session.client.run("TIME").items[0].text.flatMap { Int64($0) } ?? 0
        let start = (now + 100) * 1000
        try session.run([
            ("FOG.GPU SET g TYPE T REGION r", "OK"),
            ("FOG.BOOK CREATE later g u START \(start) END \(start + 50_000)", "(any)"),
            ("HGET fog:booking:later status", #""scheduled""#), ("HGET fog:gpu:g status", #""available""#),
            ("FOG.BOOK CREATE open g u", "(matches) (error) BUSY *"),
            ("FOG.BOOK CREATE now g u END \(start)", "(any)"),
            ("FOG.BOOK CREATE bad g u END 5", "(matches) (error) ERR a booking ends *"),
            ("HGET fog:gpu:g status", #""busy""#),
        ])
        session.server.advanceClock(milliseconds: 101_000)
        try session.run([
            ("FOG.BOOK LIST STATUS scheduled", "[]"), ("HGET fog:booking:now status", #""completed""#),
            ("HGET fog:booking:later status", #""active""#), ("HGET fog:gpu:g status", #""busy""#),
        ])
        session.server.advanceClock(milliseconds: 60_000)
        try session.run([
            ("FOG.BOOK LIST STATUS active", "[]"), ("HGET fog:booking:later status", #""completed""#),
            ("HGET fog:gpu:g status", #""available""#),
        ])
        #expect(try session.client.run("FOG.BOOK LIST USER u").items.count == 2)
    }

    @Test(arguments: TestVariant.protocols)
    func demandMovesThePrice(variant: TestVariant) throws {
        let session = try TestSession(variant, configuration: "fog-price-elasticity 0.5")
        for index in 0..<10 { try session.run([("FOG.GPU SET g\(index) TYPE T REGION r", "OK")]) }
        try session.run([("FOG.PRICE SET T r 2", "(nil)")])
        for index in 0..<8 { try session.run([("FOG.BOOK CREATE b\(index) g\(index) u", "(any)")]) }
        #expect(try session.client.run("FOG.PRICE GET T r").text == "2.8")
        let explained = try session.client.run("FOG.PRICE EXPLAIN T r")
        #expect(["base", "factor", "price"].map { explained[$0]?.text } == ["2", "1.4", "2.8"])
        #expect(["used", "total"].map { explained[$0]?.integer } == [8, 10])
        try session.run([("CONFIG SET fog-price-ceiling 1.2", "OK")])
        #expect(try session.client.run("FOG.PRICE GET T r").text == "2.4")
    }

    @Test(arguments: TestVariant.protocols)
    func ordersTrade(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.ORDERBOOK ADD ask a1 T r 1.2 10 s", "(any)"), ("FOG.ORDERBOOK ADD ask a2 T r 1.1 10 s", "(any)"),
            ("FOG.ORDERBOOK ADD ask a3 T r 1.1 10 s", "(any)"), ("FOG.ORDERBOOK ADD bid b1 T r 1 5 b", "(any)"),
            ("FOG.ORDERBOOK ADD bid b1 T r 1 5 b", "(error) ERR an order with this id is open"),
            ("FOG.ORDERBOOK ADD sell x T r 1 5 b", "(error) ERR the side must be bid or ask"),
            ("FOG.ORDERBOOK ADD bid x T r 1 0 b", "(matches) (error) ERR the quantity *"),
        ])
        let traded = try session.client.run("FOG.ORDERBOOK ADD bid b2 T r 1.15 25 b")
        #expect(traded["trades"]?.items.map { $0["id"]?.text } == ["a2", "a3"])
        #expect(traded["remaining"]?.integer == 5 && traded["filled"]?.integer == 20)
        let top = try session.client.run("FOG.ORDERBOOK TOP T r")
        #expect(["bid", "ask", "spread"].map { top[$0]?.text } == ["1.15", "1.2", "0.05"])
        try session.run([
            ("HMGET fog:order:a2 status qty", #"["filled", "0"]"#), ("TTL fog:order:a2", "300"),
            ("HMGET fog:order:b2 status qty", #"["open", "5"]"#), ("TTL fog:order:b2", "-1"),
            ("FOG.ORDERBOOK CANCEL b2", "5"), ("FOG.ORDERBOOK CANCEL b2", "(nil)"), ("DEL fog:order:a1", "1"),
        ])
        let after = try session.client.run("FOG.ORDERBOOK GET T r DEPTH 5")
        #expect(after["asks"]?.items.count == 0 && after["bids"]?.items.count == 1)
    }

    @Test(arguments: TestVariant.protocols)
    func providersTakeTheirGPUsAlong(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("FOG.GPU SET a TYPE T REGION r PROVIDER p", "OK"), ("FOG.GPU SET b TYPE T REGION r PROVIDER p", "OK"),
            ("FOG.GPU SET c TYPE T REGION r PROVIDER q", "OK"), ("FOG.BOOK CREATE x b u", "(any)"),
            ("FOG.ORDERBOOK ADD ask o T r 1 5 p", "(any)"), ("FOG.PROVIDER STATUS p maintenance", "2"),
            ("HMGET fog:gpu:b status held", #"["maintenance", "busy"]"#), ("HGET fog:order:o status", #""cancelled""#),
            ("FOG.GPU SET d TYPE T REGION r PROVIDER p", "OK"), ("HGET fog:gpu:d status", #""maintenance""#),
            ("FOG.BOOK COMPLETE x", "OK"), ("HMGET fog:gpu:b status held", #"["maintenance", "available"]"#),
        ])
        #expect(try gpus(session.client, "FOG.GPU AVAIL") == ["c"])
        try session.run([("FOG.PROVIDER STATUS p online", "3"), ("FOG.PROVIDER GET nobody", "(nil)")])
        let provider = try session.client.run("FOG.PROVIDER GET p")
        #expect(provider["available"]?.integer == 3 && provider["status"]?.text == "online")
    }

    /// Random commands, plain ones among them; then the statistics must equal a recount, and no GPU be booked twice.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func statisticsEqualARecount(seed: UInt64) throws {
        let session = try TestSession()
        let client = session.client
        var random = TestRandom(seed)
        for step in 0..<600 {
            let gpu = "g\(random.below(12))"
            let line: String
            switch random.below(12) {
            case 0: line = "DEL fog:gpu:\(gpu)"
            case 1: line = "HSET fog:gpu:\(gpu) status \(["available", "busy", "offline"][random.below(3)])"
            case 2: line = "FOG.GPU STATUS \(gpu) \(["available", "busy", "offline"][random.below(3)])"
            case 3: line = "FOG.BOOK CANCEL b\(random.below(step + 1))"
            case 4: line = "FOG.BOOK COMPLETE b\(random.below(step + 1))"
            case 5: line = "FOG.PROVIDER STATUS p\(random.below(2)) \(["online", "offline"][random.below(2)])"
            case 6: line = "PEXPIRE fog:gpu:\(gpu) 1"
            case 7: line = random.below(60) == 0 ? "FLUSHALL" : "DEL fog:booking:b\(random.below(step + 1))"
            case 8, 9: line = "FOG.BOOK CREATE b\(step) \(gpu) u"
            default: line = "FOG.GPU SET \(gpu) TYPE T REGION r\(random.below(2)) PROVIDER p\(random.below(2)) PRICE 1"
            }
            _ = try client.run(line)
            if random.below(10) == 0 { session.server.advanceClock(milliseconds: 5) }
            guard step % 10 == 0 else { continue }
            // Who has a millisecond to live must be gone for the statistics and for the recount.
            session.server.advanceClock(milliseconds: 5)
            let stats = try client.run("FOG.MARKET STATS")
            var counts: [String: Int64] = [:]
            for key in try client.run("KEYS fog:gpu:*").items.compactMap(\.text) {
                let status = try client.run("HGET \(key) status").text ?? ""
                counts[status == "maintenance" ? "offline" : status, default: 0] += 1
            }
            for name in ["available", "busy", "offline"] {
                #expect(stats[name]?.integer == counts[name] ?? 0, "seed \(seed), step \(step): \(name)")
            }
            let bookings = try client.run("KEYS fog:booking:*").items.count
            #expect(stats["bookings_24h"]?.integer == Int64(bookings), "seed \(seed), step \(step)")
            let active = try gpus(client, "FOG.BOOK LIST STATUS active")
            #expect(Set(active).count == active.count, "seed \(seed), step \(step): a GPU is booked twice")
        }
    }

    @Test func marketSurvivesARestart() throws {
        let directory = try TemporaryDirectory()
        do {
            let server = try TestServer(configuration: "appendonly yes", directory: directory.path)
            let session = try TestSession(server: server)
            try session.run([
                ("FOG.GPU SET g TYPE T REGION r PROVIDER p PRICE 1", "OK"),
                ("FOG.GPU SET h TYPE T REGION r PROVIDER p PRICE 2", "OK"), ("FOG.PRICE SET T r 3 REASON x", "(nil)"),
                ("FOG.BOOK CREATE b g u", "(any)"), ("FOG.ORDERBOOK ADD bid o T r 1 5 u", "(any)"),
                ("FOG.ORDERBOOK ADD bid o2 T r 1 5 u", "(any)"),
            ])
            server.stop()
        }
        let server = try TestServer(configuration: "appendonly yes", directory: directory.path)
        let session = try TestSession(server: server)
        try session.run([
            ("FOG.BOOK CREATE c g u", "(matches) (error) BUSY *"), ("XLEN fog:pricehist:T:r", "1"),
        ])
        #expect(try gpus(session.client, "FOG.GPU AVAIL") == ["h"])
        #expect(try session.client.run("FOG.MARKET STATS")["avg_price"]?.text == "3")
        let traded = try session.client.run("FOG.ORDERBOOK ADD ask a T r 1 6 s")
        #expect(traded["trades"]?.items.map { $0["id"]?.text } == ["o", "o2"])
    }

    @Test func accessByCategory() throws {
        let session = try TestSession()
        try session.run([
            ("ACL SETUSER m on nopass ~* +@fogmarket", "OK"), ("FOG.GPU SET g TYPE T REGION r", "OK"),
            ("ACL SETUSER k on nopass ~fog:gpu:a* +@fog", "OK"),
            ("AUTH m x", "OK"), ("FOG.GPU GET g", "(any)"), ("FOG.NODE COUNT", "(matches) (error) NOPERM *"),
            ("AUTH k x", "OK"), ("FOG.GPU GET g", "(matches) (error) NOPERM *"), ("FOG.GPU SET a1", "OK"),
        ])
    }
}
