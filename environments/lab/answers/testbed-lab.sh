# lab answer file for $system_name, profile $profile_name
#set $nic = $interfaces["eth0"]
lab_system="$system_name"
lab_hostname="$hostname"
lab_profile="$profile_name"
lab_distro="$distro_name"
lab_ip="$nic["ip_address"]"
lab_netmask="$nic["netmask"]"
lab_gateway="$gateway"
lab_dns="#echo " ".join($name_servers)#"
lab_image="http://$http_server/lab/${lab_image}"
lab_generation="$getVar('install_generation', 'none')"
lab_token="$getVar('install_token', '')"
lab_password='$getVar("install_password", "*")'
lab_pre() {
:
$SNIPPET('autoinstall_start')
}
lab_late() {
echo "$getVar('motd', '')" > \$1/etc/motd
}
lab_post() {
:
$SNIPPET('autoinstall_done')
}
