using Carrel.Deskd.Identity;

namespace Carrel.Deskd.Tests.Identity;

public sealed class VncPasswordTests
{
    [Fact]
    public void Des_answers_the_classic_vector() => Assert.Equal(
        "85E813540F0AB405",
        Convert.ToHexString(Des.EncryptBlock(Convert.FromHexString("133457799BBCDFF1"), Convert.FromHexString("0123456789ABCDEF"))));

    // What vncpasswd writes for these.
    [Theory]
    [InlineData("password", "DBD83CFD727A1458")]
    [InlineData("passwordlonger", "DBD83CFD727A1458")]
    public void A_password_is_obfuscated_as_vncpasswd_does_it(string password, string expected) =>
        Assert.Equal(expected, Convert.ToHexString(VncPassword.Obfuscate(password)));
}
