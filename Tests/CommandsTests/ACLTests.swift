// ACLTests.swift - users, permissions and refusals: replies are those of Valkey 9.1.
import TestKit
import Testing

struct ACLTests {
    private static let digestOfSecret = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

    @Test(arguments: TestVariant.all)
    func rulesAreKeptAsTheyCame(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("ACL LIST", #"["user default on nopass ~* &* +@all"]"#),
            ("ACL SETUSER bob", "OK"), ("ACL WHOAMI", #""default""#),
            ("ACL LIST", #"["user bob off resetchannels -@all", "user default on nopass ~* &* +@all"]"#),
            ("ACL SETUSER bob on >secret ~app:* %R~ro:* &chan:* +get +set -set +config|get +@read -@dangerous", "OK"),
            ("ACL SETUSER bob (+lpush ~list:*) db=1,0", "OK"), ("ACL DELUSER default", "(matches) (error) ERR The*"),
            (
                "ACL LIST",
                "(matches) *user bob on #\(ACLTests.digestOfSecret) ~app:\\* %R~ro:\\* resetchannels &chan:\\* db=0,1 "
                    + "-@all +get -set +config|get +@read -@dangerous (~list:\\* resetchannels -@all +lpush)*"
            ),
            ("ACL SETUSER bob +nosuch", "(matches) (error) ERR Error in ACL SETUSER modifier '+nosuch': Unknown*"),
            ("ACL SETUSER bob ~b +config|get|x", "(matches) (error) *Allowing first-arg of a subcommand*"),
            ("ACL SETUSER bob (+get", "(error) ERR Unmatched parenthesis in acl selector starting at '(+get'."),
            ("ACL SETUSER bob allkeys ~x", "(matches) (error) *Adding a pattern after the \\* pattern*"),
            ("ACL GETUSER nobody", "(nil)"), ("ACL DELUSER bob nobody", "(integer) 1"),
            ("ACL GENPASS 0", "(matches) (error) ERR ACL GENPASS argument must be*"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func limitedUsersAreRefused(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("ACL SETUSER v on >pw +get +set +multi +exec +acl|whoami ~a* %R~b* %W~c*", "OK"),
            ("AUTH v wrong", "(matches) (error) WRONGPASS*"), ("AUTH v pw", "OK"), ("ACL WHOAMI", #""v""#),
            ("SET a 1", "OK"), ("GET b", "(nil)"), ("SET b 1", "(error) NOPERM No permissions to access a key"),
            ("SET c 1", "OK"), ("GET c", "(error) NOPERM No permissions to access a key"),
            ("DEL a", "(error) NOPERM User v has no permissions to run the 'del' command"),
            ("CONFIG GET port", "(error) NOPERM User v has no permissions to run the 'config|get' command"),
            ("MULTI", "OK"), ("DEL a", "(matches) (error) NOPERM*"), ("GET a", "QUEUED"),
            ("EXEC", "(error) EXECABORT Transaction discarded because of previous errors."),
            ("AUTH default x", "OK"), ("ACL LOG 1", "(matches) *reason*command*multi*del*v*cmd=del user=v*"),
            ("INFO stats", "(matches) *acl_access_denied_auth:1*acl_access_denied_cmd:*acl_access_denied_key:2*"),
            ("ACL LOG RESET", "OK"), ("ACL LOG", "[]"), ("DEL a c", "(integer) 2"),
        ])
    }

    /// BY and GET read keys that no argument names: only who may read all keys may use them.
    @Test(arguments: TestVariant.all)
    func sortShowsNoForeignKeys(variant: TestVariant) throws {
        let byDenied = "(error) ERR BY option of SORT denied due to insufficient ACL permissions."
        let getDenied = "(error) ERR GET option of SORT denied due to insufficient ACL permissions."
        try TestSession(variant).run([
            ("RPUSH mylist 2 1", "(integer) 2"), ("MSET w1 20 w2 10", "OK"),
            ("ACL SETUSER low on nopass +sort +sort_ro +eval ~mylist", "OK"),
            ("ACL SETUSER reader on nopass +sort %R~*", "OK"),
            ("ACL SETUSER writer on nopass +sort %W~* ~mylist", "OK"),
            ("ACL SETUSER two on nopass -@all (+sort ~mylist) (+get ~*)", "OK"),
            ("AUTH low x", "OK"), ("SORT mylist", #"["1", "2"]"#), ("SORT mylist BY nosort", #"["2", "1"]"#),
            ("SORT mylist BY w*", byDenied), ("SORT mylist GET w*", getDenied), ("SORT mylist GET #", getDenied),
            ("SORT_RO mylist BY nosort GET w*", getDenied),
            ("EVAL \"return redis.pcall('sort','mylist','get','w*').err\" 0", "(matches) *GET option of SORT denied*"),
            ("AUTH writer x", "OK"), ("SORT mylist GET w*", getDenied),
            ("AUTH two x", "OK"), ("SORT mylist GET w*", getDenied),
            ("AUTH reader x", "OK"), ("SORT mylist BY w* GET w* GET #", #"["10", "2", "20", "1"]"#),
        ])
    }

    @Test(arguments: TestVariant.all)
    func scriptsMayDoWhatTheirCallerMay(variant: TestVariant) throws {
        let check = "tostring(redis.acl_check_cmd('get','ab'))..tostring(redis.acl_check_cmd('del','ab'))"
        try TestSession(variant).run([
            ("ACL SETUSER s on nopass +eval +get ~a*", "OK"), ("AUTH s x", "OK"),
            ("EVAL \"return redis.call('get',KEYS[1])\" 1 ab", "(nil)"),
            ("EVAL \"return redis.call('get','b')\" 0", "(matches) (error) ERR ACL failure in script: No perm*"),
            ("EVAL \"return redis.call('del','ab')\" 0", "(matches) (error) ERR ACL failure in script: User s has*"),
            ("EVAL \"return \(check)\" 0", #""truefalse""#),
        ])
    }

    @Test(arguments: TestVariant.all)
    func queuedCommandsAreCheckedAgain(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let admin = try session.server.connect()
        try session.run([
            ("ACL SETUSER r on nopass +@all ~*", "OK"), ("AUTH r x", "OK"), ("MULTI", "OK"), ("GET a", "QUEUED"),
        ])
        _ = try admin.run("ACL SETUSER r -get")
        try session.run([
            ("EXEC", "(matches) *(error) NOPERM ACLs rules changed between*no permission to execute the command*"),
        ])
        #expect(try admin.run("ACL LOG 1").elements?.first?.elements?.contains { $0.text == "multi" } == true)
    }

    @Test(arguments: TestVariant.all)
    func deletedUsersAreDisconnected(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let admin = try session.server.connect()
        try session.run([("ACL SETUSER gone on nopass +@all", "OK"), ("AUTH gone x", "OK"), ("PING", "PONG")])
        #expect(try admin.run("ACL DELUSER gone").integer == 1)
        #expect(throws: (any Error).self) { try session.run([("PING", "PONG")]) }
    }

    @Test(arguments: TestVariant.all)
    func subscribersWithoutPermissionAreDisconnected(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let admin = try session.server.connect()
        try session.run([
            ("ACL SETUSER p on nopass +@all ~* resetchannels &news:*", "OK"), ("AUTH p x", "OK"),
            ("PUBLISH sport x", "(error) NOPERM No permissions to access a channel"), ("PUBLISH news:1 x", "(integer) 0"),
            ("PSUBSCRIBE news:1*", "(error) NOPERM No permissions to access a channel"),
            ("PSUBSCRIBE news:*", "(matches) *psubscribe*news*1*"),
        ])
        _ = try admin.run("ACL SETUSER p &sport")
        try session.run([("PING", "(matches) *")])
        _ = try admin.run("ACL SETUSER p resetchannels &sport")
        #expect(throws: (any Error).self) { try session.run([("PING", "(matches) *")]) }
    }

    @Test(arguments: TestVariant.all)
    func databasesAreLimited(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("ACL SETUSER w on nopass +@all ~* db=1", "OK"), ("AUTH w x", "OK"),
            ("GET a", "(error) NOPERM No permissions to access database"), ("PING", "PONG"),
            ("SELECT 0", "(matches) (error) NOPERM*"), ("SELECT 1", "OK"), ("SET a 1", "OK"),
            ("MOVE a 0", "(matches) (error) NOPERM*"), ("SWAPDB 0 1", "(matches) (error) NOPERM*"),
            ("COPY a b DB 0", "(matches) (error) NOPERM*"), ("FLUSHALL", "(matches) (error) NOPERM*"),
            ("COPY a b", "(integer) 1"),
        ])
    }

    @Test
    func requirepassIsTheDefaultUsersPassword() throws {
        try TestSession(configuration: "requirepass secret\nuser eve on nopass +ping").run([
            ("PING", "(error) NOAUTH Authentication required."), ("AUTH secret", "OK"), ("PING", "PONG"),
            ("CONFIG SET requirepass \"\"", "OK"),
            ("ACL LIST", #"["user default on nopass ~* &* +@all", "user eve on nopass resetchannels -@all +ping"]"#),
            ("AUTH eve x", "OK"), ("PING", "PONG"), ("RESET", "RESET"), ("ACL WHOAMI", #""default""#),
        ])
    }

    /// `reset` and new selectors follow `acl-pubsub-default` as it is now, the default user's as well.
    @Test
    func resetFollowsTheSettingOfNow() throws {
        try TestSession().run([
            ("CONFIG SET acl-pubsub-default allchannels", "OK"), ("ACL SETUSER bob", "OK"),
            ("CONFIG SET acl-pubsub-default resetchannels", "OK"), ("ACL SETUSER bob reset", "OK"),
            ("ACL SETUSER default reset on nopass ~* +@all", "OK"),
            (
                "ACL LIST",
                #"["user bob off resetchannels -@all", "user default on nopass ~* resetchannels +@all"]"#
            ),
            ("PUBLISH hello world", "(error) NOPERM No permissions to access a channel"),
            ("ACL SETUSER eve %RW", "OK"), ("ACL SETUSER eve %", "(matches) (error) *Syntax error"),
        ])
    }
}
